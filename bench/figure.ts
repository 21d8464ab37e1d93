/** What a figure counts in. Rates are better when greater; all else is better when smaller. */
export type Unit = 'changes/s' | 'ms' | 's' | 'bytes' | 'times' | 'USD';

/** What a figure has to reach: itself, or its ratio to the floor. */
export interface Goal {
  readonly of: 'measured' | 'ratio';
  readonly is: 'at least' | 'at most';
  readonly value: number;
}

/** The least that any program would have to do for the same, measured in the same run and in the figure's unit. */
export interface Floor {
  readonly what: string;
  readonly measured: number;
  /** Measured divided by the floor: the median of the rounds' own ratios. */
  readonly ratio: number;
}

/** One thing that was measured. */
export interface Figure {
  /** Stable: `replay.lakehouse`. */
  readonly name: string;
  /** What was measured, for people. */
  readonly what: string;
  readonly unit: Unit;
  /** The median of the rounds. */
  readonly measured: number;
  readonly rounds: number;
  readonly floor: Floor | null;
  readonly goal: Goal | null;
}

/** A measurement: some figures that are taken together. */
export interface Measurement {
  readonly name: string;
  /** Throws where what was measured went wrong: a lost change, a wrong count. Never because it was slow. */
  readonly measure: (size: Size, report: (line: string) => void) => Promise<readonly Figure[]>;
}

/** `full` is what the goals are about; `smoke` is the same work on a little, to show that it can be done. */
export type Size = 'full' | 'smoke';

/** What the rounds of one piece of work gave, with the floor's. */
export interface Rounds {
  readonly measured: readonly number[];
  readonly floor?: { readonly what: string; readonly measured: readonly number[] };
}

/** A figure from its rounds. Where each round has a floor of its own, its ratio is that of the two that ran side by side. */
export function figureOf(
  about: Pick<Figure, 'name' | 'what' | 'unit'> & { readonly goal?: Goal },
  rounds: Rounds,
): Figure {
  const { measured, floor } = rounds;
  const { name, what, unit, goal = null } = about;
  return {
    name,
    what,
    unit,
    measured: median(measured),
    rounds: measured.length,
    floor: floor === undefined ? null : { what: floor.what, ...floorOf(measured, floor.measured) },
    goal,
  };
}

function floorOf(measured: readonly number[], floor: readonly number[]): { measured: number; ratio: number } {
  const middle = median(floor);
  const isPaired = floor.length === measured.length;
  const ratios = measured.map((value, index) => value / (isPaired ? (floor[index] ?? middle) : middle));
  return { measured: middle, ratio: median(ratios) };
}

/** Whether a figure reaches its goal; null where it has none. */
export function isMet({ measured, floor, goal }: Figure): boolean | null {
  if (goal === null) return null;
  const value = goal.of === 'measured' ? measured : floor?.ratio;
  if (value === undefined) return null;
  return goal.is === 'at least' ? value >= goal.value : value <= goal.value;
}

/** The middle value, or the mean of the two in the middle. Throws RangeError for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('There is no median of no values.');
  return (lower + upper) / 2;
}

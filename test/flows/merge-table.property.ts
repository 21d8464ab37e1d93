import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MergeBegun } from '../../core/contract.ts';
import type { Envelope } from '../../core/envelope.ts';
import { runMergeStep } from '../../flows/merge-table.ts';
import { changeOf } from '../support/changes.ts';
import { schemaOf } from '../support/dynamodb.ts';
import { MergeWorld } from './merge-world.ts';

const WORDS = schemaOf({ word: { kind: 'string' } });
const MINUTE = 60_000;

/** What happens next: a commit of Firehose's, a look, a step of one of the executions that run, or time. */
type Move =
  | { readonly kind: 'append'; readonly changes: readonly Envelope[] }
  | { readonly kind: 'look' }
  | { readonly kind: 'step'; readonly which: number; readonly dies: boolean }
  | { readonly kind: 'wait'; readonly minutes: number };

const anyChange = fc
  .record({ id: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: 1, max: 12 }), isDelete: fc.boolean() })
  .map(({ id, at, isDelete }) => {
    // Whether a place of the stream is a delete belongs to the place: delivered twice, it is the same.
    const gone = isDelete && at % 3 === 0;
    const made = changeOf(gone || at % 3 === 0 ? { id, at } : { id, at, image: { word: { S: `${at}` } } }, WORDS);
    return { ...made, committedAtMicros: 1_790_000_000_000_000 + at * 1_000_000 };
  });
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), changes: fc.array(anyChange, { minLength: 1, maxLength: 4 }) }),
  fc.constant({ kind: 'look' as const }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('step' as const), which: fc.nat(3), dies: fc.boolean() }) },
  fc.record({ kind: fc.constant('wait' as const), minutes: fc.constantFrom(1, 2, 70) }),
);
const anyFault = fc.constantFrom(
  'ok' as const,
  'refuse' as const,
  'lose-reply' as const,
  'conflict' as const,
  'crash-after' as const,
);

/** One execution of the state machine: what it does next. */
class Execution {
  private begun: MergeBegun | null = null;
  private ran = 0;
  isOver = false;
  private readonly world: MergeWorld;
  private readonly execution: string;

  constructor(world: MergeWorld, name: string) {
    this.world = world;
    this.execution = `arn:execution:${name}`;
  }

  /** One state of the machine. A step that fails goes to `fail`, which may fail as well. */
  async step(): Promise<void> {
    const { ports } = this.world;
    const of = { table: 'orders', execution: this.execution };
    try {
      if (this.begun === null) {
        this.begun = (await runMergeStep(ports, { step: 'begin', ...of })) as MergeBegun;
        this.isOver = this.begun.statements.length === 0;
      } else if (this.ran < this.begun.statements.length) {
        this.world.run(this.begun.statements[this.ran++] ?? '');
      } else {
        this.isOver = true;
        await runMergeStep(ports, { step: 'finish', ...of, plan: this.begun.plan });
      }
    } catch (thrown) {
      this.isOver = true;
      await runMergeStep(ports, { step: 'fail', ...of, error: String(thrown) }).catch(() => undefined);
    }
  }
}

it('merges that die anywhere, run twice or beside each other end equal to the model, once nothing fails any more', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyMove, { maxLength: 40 }),
      fc.array(anyFault, { maxLength: 12 }),
      async (moves, faults) => {
        const world = new MergeWorld(faults);
        const executions: Execution[] = [];
        const look = async () => {
          const before = world.started.length;
          await runMergeStep(world.ports, { step: 'look', tables: ['orders'] }).catch(() => undefined);
          for (const { name } of world.started.slice(before)) executions.push(new Execution(world, name));
        };
        for (const move of moves) {
          if (move.kind === 'append') world.append(move.changes);
          else if (move.kind === 'look') await look();
          else if (move.kind === 'wait') world.nowMillis += move.minutes * MINUTE;
          else {
            const running = executions.filter((one) => !one.isOver);
            const chosen = running[move.which % Math.max(1, running.length)];
            await chosen?.step();
            if (move.dies && chosen !== undefined && move.which === 3) chosen.isOver = true;
          }
        }
        // From here on nothing fails: whoever died has lost its lease after an hour, and what runs on comes to its end.
        while (world.script.calls < faults.length)
          await world.script.play(() => Promise.resolve()).catch(() => undefined);
        world.nowMillis += 70 * MINUTE;
        for (let round = 0; round < 6; round++) {
          await look();
          for (const one of executions) while (!one.isOver) await one.step();
          world.nowMillis += 3 * MINUTE;
        }
        expect(world.rows).toEqual(world.expectedRows);
        const progress = await world.control.readProgress('orders', 'lakehouse');
        expect(progress === null ? null : { sequence: progress.sequence, snapshotId: progress.snapshotId }).toEqual(
          world.current,
        );
        expect(world.metrics.values('Freshness').at(-1)).toBe(0);
        const lease = await world.control.readLease('merge#orders');
        expect(lease?.untilMillis ?? 0).toBeLessThanOrEqual(world.nowMillis);
      },
    ),
    { numRuns: 1_000 },
  );
});

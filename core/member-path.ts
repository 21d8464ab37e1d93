/** How many different paths a table's maps may take before no more are learnt: names are data there, and each is met once. */
const MOST_PATHS = 2000;

/**
 * The names that a map has so far, in the order in which it has them. The maps at one place of a table's items have few
 * such orders, often one. To follow them costs a comparison a name, and what follows from the whole of a map's names (the
 * plan) is worked out once, at the end of its path.
 */
export class MemberPath<Plan> {
  /** What its user has worked out for the maps whose names end here. */
  plan: Plan | null = null;
  private readonly before: MemberPath<Plan> | null;
  private readonly name: string;
  private readonly budget: { left: number };
  private lastName = '';
  private lastNext: MemberPath<Plan> | null = null;
  private readonly nexts = new Map<string, MemberPath<Plan>>();

  private constructor(before: MemberPath<Plan> | null, name: string, budget: { left: number }) {
    this.before = before;
    this.name = name;
    this.budget = budget;
  }

  /** Where the names of a table's items start. */
  static start<Plan>(): MemberPath<Plan> {
    return new MemberPath<Plan>(null, '', { left: MOST_PATHS });
  }

  /** Where the names of other maps of that table start. */
  fork(): MemberPath<Plan> {
    return new MemberPath<Plan>(null, '', this.budget);
  }

  /** The path with one more name; null where it is new and no more are learnt. */
  next(name: string): MemberPath<Plan> | null {
    if (this.lastNext !== null && this.lastName === name) return this.lastNext;
    const next = this.nexts.get(name) ?? this.learn(name);
    if (next === null) return null;
    this.lastName = name;
    this.lastNext = next;
    return next;
  }

  /** The paths to each of the names, from the first to this. */
  steps(): { readonly name: string; readonly path: MemberPath<Plan> }[] {
    const steps: { name: string; path: MemberPath<Plan> }[] = [];
    for (let path: MemberPath<Plan> = this; path.before !== null; path = path.before)
      steps.push({ name: path.name, path });
    return steps.reverse();
  }

  private learn(name: string): MemberPath<Plan> | null {
    if (this.budget.left === 0) return null;
    this.budget.left--;
    const next = new MemberPath<Plan>(this, name, this.budget);
    this.nexts.set(name, next);
    return next;
  }
}

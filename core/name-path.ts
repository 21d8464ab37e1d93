/** How many names are remembered, those of sorted members included. Past that, names are data, each met once. */
const MOST_NAMES = 10_000;

/** A member of a map, by its name. */
export interface NamedMember {
  readonly name: string;
  /** How it begins in JSON: the name and a colon, after a comma unless it is the first. */
  readonly prefix: string;
}

/**
 * The names that a map has so far, in the order in which it has them. Most maps have exactly the names of one before: to
 * follow them costs a comparison each, and they are sorted and written as JSON only once.
 */
export class NamePath {
  /** The members of the maps whose names end here, sorted by name; null where they are not remembered. */
  members: readonly NamedMember[] | null = null;
  /** Shared by all paths that have one start. */
  private readonly room: { names: number };
  private lastName = '';
  private lastNext: NamePath | null = null;
  private nexts: Map<string, NamePath> | null = null;

  private constructor(room: { names: number }) {
    this.room = room;
  }

  /** Where the names of all maps start. */
  static start(most = MOST_NAMES): NamePath {
    return new NamePath({ names: most });
  }

  /** The path with one more name; null where it is new and no more are remembered. */
  next(name: string): NamePath | null {
    if (this.lastNext !== null && this.lastName === name) return this.lastNext;
    const next = this.nexts?.get(name) ?? this.learn(name);
    if (next === null) return null;
    this.lastName = name;
    this.lastNext = next;
    return next;
  }

  /** Keeps the sorted members of the maps whose names end here, if there is room for them, and gives them back. */
  remember(members: readonly NamedMember[]): readonly NamedMember[] {
    if (members.length <= this.room.names) {
      this.room.names -= members.length;
      this.members = members;
    }
    return members;
  }

  private learn(name: string): NamePath | null {
    if (this.room.names === 0) return null;
    this.room.names--;
    const next = new NamePath(this.room);
    (this.nexts ??= new Map()).set(name, next);
    return next;
  }
}

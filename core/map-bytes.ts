import type { BytePiece } from './byte-text.ts';
import { pieceOf } from './byte-text.ts';
import { PLAIN, memberPrefix } from './json-text.ts';

/**
 * The names that the maps at one place of a table's items had, as bytes: what `MapShape` is for text. A guess, never more:
 * a map that looks otherwise is learnt, and what was learnt is found again by its names.
 */
export class MapPlace {
  /** What the last map here looked like. */
  newest: MapForm | null = null;
  private readonly known = new Map<string, MapForm>();
  private listed: MapPlace | null = null;

  /** The place of the maps within a list that stands here. */
  element(): MapPlace {
    return (this.listed ??= new MapPlace());
  }

  /** The form of maps with these names, in the order of the text; null where one stands twice. */
  formOf(names: readonly string[]): MapForm | null {
    // No name without escapes has a quote in it.
    const id = names.join('"');
    const known = this.known.get(id);
    if (known !== undefined) return (this.newest = known);
    const made = mapForm(names);
    if (made === null) return null;
    if (this.known.size >= MAX_FORMS) this.known.clear();
    this.known.set(id, made);
    return (this.newest = made);
  }
}

/** Maps whose names are data are not remembered without an end. */
const MAX_FORMS = 64;

export interface MapForm {
  /** Each name as it begins a member, in the order of the text. */
  readonly prefixes: readonly BytePiece[];
  readonly places: readonly MapPlace[];
  /** The members in the order of their names. */
  readonly inNameOrder: readonly number[];
  readonly isSorted: boolean;
  /** Where each member's value begins in what is written, and the last one ends, while one map is read. */
  readonly starts: Int32Array;
}

function mapForm(names: readonly string[]): MapForm | null {
  const sorted = names.map((name, place) => ({ name, place })).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (sorted.some(({ name }, at) => sorted[at + 1]?.name === name)) return null;
  const inNameOrder = sorted.map(({ place }) => place);
  return {
    prefixes: names.map((name) => pieceOf(memberPrefix(name, PLAIN))),
    places: names.map(() => new MapPlace()),
    inNameOrder,
    isSorted: inNameOrder.every((place, at) => place === at),
    starts: new Int32Array(names.length + 1),
  };
}

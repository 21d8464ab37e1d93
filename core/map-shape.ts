import type { JsonStyle } from './json-text.ts';
import { PLAIN, memberPrefix } from './json-text.ts';

/**
 * The names that the map at one place of a table's items had the last time, in the order of the text. Maps at one place
 * mostly have the same names in the same order, and then none has to be cut out, looked up or sorted. A guess, never
 * more: a map that looks otherwise is learnt anew.
 */
export class MapShape {
  /** Each name as it begins a member in the text. */
  prefixes: readonly string[] = [];
  private names: readonly string[] = [];
  private children: readonly MapShape[] = [];
  /** Each member's place in the text, in the order of the names, with how its name is written. */
  private inNameOrder: readonly { readonly place: number; readonly written: string }[] = [];
  private listed: MapShape | null = null;

  /** The shape of the maps within a member. */
  child(place: number): MapShape {
    return this.children[place] ?? new MapShape();
  }

  /** The shape of the maps within a list at this place. */
  element(): MapShape {
    return (this.listed ??= new MapShape());
  }

  /** The first names, as many as were found to be the same. */
  firstNames(count: number): string[] {
    return this.names.slice(0, count);
  }

  /** Takes on other names. Returns false, and changes nothing, where one stands twice. */
  learn(names: readonly string[], style: JsonStyle): boolean {
    const sorted = names.map((name, place) => ({ name, place })).sort((a, b) => (a.name < b.name ? -1 : 1));
    if (sorted.some(({ name }, at) => sorted[at + 1]?.name === name)) return false;
    this.children = names.map((name, place) => (this.names[place] === name ? this.child(place) : new MapShape()));
    this.names = names;
    this.prefixes = names.map((name) => memberPrefix(name, PLAIN));
    this.inNameOrder = sorted.map(({ name, place }) => ({ place, written: memberPrefix(name, style) }));
    return true;
  }

  /** The map as JSON with its names sorted, from the JSON of its members in the order of the text. */
  json(members: readonly string[]): string {
    let json = '';
    for (const { place, written } of this.inNameOrder) {
      const member = written + (members[place] ?? '');
      json = json === '' ? member : `${json},${member}`;
    }
    return `{${json}}`;
  }
}

import type { Lakehouse, Warehouse, World } from '../world.ts';

/** `holds` and `broken` settle a claim; `open` says how it can be settled otherwise, or what was missing. */
export interface Verdict {
  readonly verdict: 'holds' | 'broken' | 'open';
  readonly how: string;
}

/** How a claim of docs/unverified.md is settled. */
export interface Check {
  /**
   * `looks` changes nothing that a target holds; `disturbs` breaks something and mends it, so that it comes last; `by-hand`
   * needs what a throw-away mirror does not have.
   */
  readonly kind: 'looks' | 'disturbs' | 'by-hand';
  readonly look: (world: World) => Promise<Verdict>;
}

export function holds(how: string): Verdict {
  return { verdict: 'holds', how };
}

export function broken(how: string): Verdict {
  return { verdict: 'broken', how };
}

export function open(how: string): Verdict {
  return { verdict: 'open', how };
}

export function verdictOf(isTrue: boolean, how: string): Verdict {
  return isTrue ? holds(how) : broken(how);
}

type Look<Place> = (world: World, place: Place) => Promise<Verdict> | Verdict;

export function looks(look: (world: World) => Promise<Verdict> | Verdict): Check {
  return { kind: 'looks', look: async (world) => look(world) };
}

export function disturbs(look: (world: World) => Promise<Verdict>): Check {
  return { kind: 'disturbs', look };
}

/** @param how what a person has to do, where, and what to look for */
export function byHand(how: string): Check {
  return { kind: 'by-hand', look: () => Promise.resolve(open(`by hand: ${how}`)) };
}

export function inLakehouse(look: Look<Lakehouse>): Check {
  return looks((world) => {
    const { lakehouse } = world.deployment;
    return lakehouse === null ? open('This mirror has no lakehouse.') : look(world, lakehouse);
  });
}

export function inWarehouse(look: Look<Warehouse>): Check {
  return looks((world) => {
    const { warehouse } = world.deployment;
    return warehouse === null
      ? open('This mirror has no warehouse: run without --lakehouse-only.')
      : look(world, warehouse);
  });
}

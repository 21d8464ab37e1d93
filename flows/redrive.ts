import type { RedriveCounts, RedriveCursor, RedriveInput, RedriveKind, RedrivePage } from '../core/redrive-page.ts';
import { NOTHING_REDRIVEN, REDRIVE_KINDS, addCounts, emptyReport } from '../core/redrive-page.ts';
import { PREFIXES } from '../core/aws-names.ts';
import { redriveFailedBatch, redriveQuarantined } from './redrive-records.ts';
import { redriveErrorObject } from './redrive-errors.ts';
import type { RedriveParts, RedriveShelf, RedriveTable } from './redrive-ports.ts';
import type { RedriveObject, Redriving } from './redriving.ts';

const MOST_NOTES = 50;

/** A page answers after about so long, so that who asked for it hears of it, and no connection falls silent for minutes. */
const PAGE_MS = 60_000;
/** Kept back for the object that is begun last. */
const LAST_OBJECT_MS = 120_000;
/** Kept back for the answer. */
const MARGIN_MS = 5_000;

/** When a page begins no more objects, and when nothing is put any more; `endsAtMillis` is when the function is ended. */
export function pageTimes(
  nowMillis: () => number,
  endsAtMillis: number,
): { readonly hasTime: () => boolean; readonly untilMillis: number } {
  const lastStartMillis = Math.min(nowMillis() + PAGE_MS, endsAtMillis - LAST_OBJECT_MS);
  return { hasTime: () => nowMillis() < lastStartMillis, untilMillis: endsAtMillis - MARGIN_MS };
}

/**
 * Works through what was set aside, refused or given up on, from the cursor on, until all is done or there is no time for
 * more. What went through is moved below `redriven/`; what did not stays, and is told. Repeated, it is harmless: each
 * change keeps its version. Throws where a target cannot be reached; what was moved by then is done.
 */
export async function redrivePage(parts: RedriveParts, input: RedriveInput): Promise<RedrivePage> {
  const notes = new Set<string>();
  const redriving = openRedriving(parts, input, (text) => {
    if (notes.size < MOST_NOTES) notes.add(text);
  });
  const counts = emptyReport() as Record<RedriveKind, RedriveCounts>;
  const first = input.cursor === null ? 0 : REDRIVE_KINDS.indexOf(input.cursor.kind);
  for (const kind of REDRIVE_KINDS.slice(Math.max(0, first))) {
    const after = input.cursor?.kind === kind ? input.cursor.after : null;
    const done = await redriveKind(redriving, kind, after);
    counts[kind] = done.counts;
    if (done.cursor !== null) return { counts, notes: [...notes], cursor: done.cursor };
  }
  return { counts, notes: [...notes], cursor: null };
}

interface KindDone {
  readonly counts: RedriveCounts;
  readonly cursor: RedriveCursor | null;
}

async function redriveKind(redriving: Redriving, kind: RedriveKind, after: string | null): Promise<KindDone> {
  const { control, lake, staging } = redriving.parts;
  switch (kind) {
    case 'failed-batches':
      return redriveObjects(
        redriving,
        { kind, shelf: control, prefix: PREFIXES.failedBatches, after },
        redriveFailedBatch,
      );
    case 'quarantine':
      return redriveObjects(
        redriving,
        { kind, shelf: control, prefix: PREFIXES.quarantine, after },
        redriveQuarantined,
      );
    case 'lakehouse-errors':
      return redriveObjects(
        redriving,
        { kind, shelf: lake, prefix: PREFIXES.lakeErrors, after },
        redriveErrorObject('lakehouse'),
      );
    case 'staging-errors':
      return redriveObjects(
        redriving,
        { kind, shelf: staging, prefix: PREFIXES.stagingErrors, after },
        redriveErrorObject('warehouse'),
      );
    case 'dead-letters':
      return redriveDeadLetters(redriving.parts);
  }
}

interface Stretch {
  readonly kind: RedriveKind;
  readonly shelf: RedriveShelf | null;
  readonly prefix: string;
  readonly after: string | null;
}

async function redriveObjects(redriving: Redriving, stretch: Stretch, redrive: RedriveObject): Promise<KindDone> {
  const { kind, shelf, prefix } = stretch;
  let counts: RedriveCounts = NOTHING_REDRIVEN;
  let after = stretch.after;
  if (shelf === null) return { counts, cursor: null };
  for (;;) {
    const keys = await shelf.keys(prefix, after);
    if (keys.length === 0) return { counts, cursor: null };
    for (const key of keys) {
      counts = addCounts(addCounts(counts, { found: 1 }), await redrive(redriving, shelf, key));
      after = key;
      // Asked after an object rather than before it: a page always gets on.
      if (!redriving.parts.hasTime()) return { counts, cursor: { kind, after } };
    }
  }
}

/** More than the loader's queue ever had at once; one that the loader gives up on again at once must not keep a page here. */
const MOST_LETTER_CALLS = 1_000;

async function redriveDeadLetters({ deadLetters, hasTime }: RedriveParts): Promise<KindDone> {
  let counts: RedriveCounts = NOTHING_REDRIVEN;
  for (let call = 0; deadLetters !== null && call < MOST_LETTER_CALLS; call++) {
    const { found, sent } = await deadLetters.sendBack();
    counts = addCounts(counts, { found, redriven: sent, refused: found - sent });
    // What was not taken is hidden for a while, and a later redrive finds it.
    if (found === 0) break;
    if (!hasTime()) return { counts, cursor: { kind: 'dead-letters', after: null } };
  }
  return { counts, cursor: null };
}

function openRedriving(parts: RedriveParts, { tables }: RedriveInput, note: (text: string) => void): Redriving {
  const opened = new Map<string, Promise<RedriveTable | null>>();
  const table = async (name: string): Promise<RedriveTable | null> => {
    const known = tables.find((one) => one.table === name);
    if (known === undefined) return null;
    const opening = opened.get(name) ?? parts.openTable(known);
    opened.set(name, opening);
    return opening;
  };
  return {
    parts,
    table,
    note,
    async tableOfSource(sourceTable) {
      const name = tables.find((one) => one.sourceTable === sourceTable)?.table;
      const found = name === undefined ? null : await table(name);
      return name === undefined || found === null ? null : { name, table: found };
    },
  };
}

import type { Envelope } from '../core/envelope.ts';
import { envelopeLine } from '../core/envelope.ts';
import type { JsonStyle } from '../core/json-text.ts';
import { NESTED, PLAIN } from '../core/json-text.ts';
import { shrinkRow } from '../core/oversize.ts';
import type { OversizedValue } from '../core/oversize.ts';
import type { TableSchema } from '../core/schema.ts';
import { stagedLine } from '../core/sql/staged-line.ts';
import type { DeliveryStream } from './delivery-stream.ts';
import type { Metrics } from './metrics.ts';
import type { OversizedValues } from './oversized-values.ts';

/** The ways out for the changes of one table. At least one of the two streams is there. */
export interface DeliveryParts {
  /** The mirror's name of the table. */
  readonly table: string;
  readonly lakehouse: DeliveryStream | null;
  readonly warehouse: DeliveryStream | null;
  readonly oversized: OversizedValues;
  readonly metrics: Metrics;
}

/**
 * How rows should be quoted for these ways out: a row goes into the changelog as JSON within JSON, and into staging as it
 * is. For both it is made as it is, and quoted once more: half of what making it twice takes.
 */
export function rowStyleFor({ warehouse }: Pick<DeliveryParts, 'warehouse'>): JsonStyle {
  return warehouse === null ? NESTED : PLAIN;
}

/**
 * Hands changes to every target. `style` is how their rows are quoted (`rowStyleFor`). Returns which of them were not
 * taken by all targets until `untilMillis`, rising: none, once all are durable. Throws where trying again would not help.
 */
export async function deliverChanges(
  parts: DeliveryParts,
  changes: readonly Envelope[],
  { schema, style }: { readonly schema: TableSchema; readonly style: JsonStyle },
  untilMillis: number,
): Promise<readonly number[]> {
  if (changes.length === 0) return [];
  const { lines, oversized } = linesOf(parts, changes, schema, style);
  if (oversized.length > 0) {
    // Before the pointers to them, or a reader could follow one to nothing.
    await parts.oversized.put(oversized);
    parts.metrics.add('OversizedValues', oversized.length, { table: parts.table });
  }
  return putLines(parts, lines, untilMillis);
}

/** No async function, as the next: one would hold the lines for as long as it waits, and they are most of what there is to hold. */
function putLines(parts: DeliveryParts, lines: Lines, untilMillis: number): Promise<readonly number[]> {
  const puts = [putTo(parts, 'lakehouse', lines, untilMillis), putTo(parts, 'warehouse', lines, untilMillis)];
  return settled(puts).then((untaken) => [...new Set(untaken.flat())].sort((a, b) => a - b));
}

function putTo(
  parts: DeliveryParts,
  target: 'lakehouse' | 'warehouse',
  lines: Lines,
  untilMillis: number,
): Promise<readonly number[]> {
  const { table, metrics } = parts;
  const put = parts[target]?.put(lines[target], untilMillis);
  if (put === undefined) return Promise.resolve([]);
  return put.then(({ untaken, retried }) => {
    metrics.add('DeliveryRetries', retried, { table, target });
    return untaken;
  });
}

/** What all of the promises give, once none of them goes on: nothing must happen behind the back of whoever is told of a failure. */
export async function settled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

interface Lines {
  readonly lakehouse: string[];
  readonly warehouse: string[];
}

function linesOf(
  parts: DeliveryParts,
  changes: readonly Envelope[],
  schema: TableSchema,
  style: JsonStyle,
): { readonly lines: Lines; readonly oversized: readonly OversizedValue[] } {
  const { lakehouse, warehouse } = parts;
  const lines: Lines = { lakehouse: [], warehouse: [] };
  const oversized: OversizedValue[] = [];
  for (const change of changes) {
    let inLake = lakehouse === null ? '' : envelopeLine(change, style);
    let inWarehouse = warehouse === null ? '' : stagedLine(change, schema);
    if (isTooLong(inLake, lakehouse) || isTooLong(inWarehouse, warehouse)) {
      const shrunk = shrink(parts, change, schema, style);
      oversized.push(...shrunk.oversized);
      inLake = lakehouse === null ? '' : envelopeLine(shrunk.change, PLAIN);
      inWarehouse = warehouse === null ? '' : stagedLine(shrunk.change, schema);
    }
    if (lakehouse !== null) lines.lakehouse.push(inLake);
    if (warehouse !== null) lines.warehouse.push(inWarehouse);
  }
  return { lines, oversized };
}

/** No character takes more bytes in UTF-8 for each of its UTF-16 units. */
const MOST_BYTES_A_UNIT = 3;

function isTooLong(line: string, stream: DeliveryStream | null): boolean {
  if (stream === null || line.length * MOST_BYTES_A_UNIT <= stream.longestLine) return false;
  return excessOf(line, stream) > 0;
}

/** The same values go out for both targets, so that they hold the same row. */
function shrink(
  { table, lakehouse, warehouse, oversized: { bucket } }: DeliveryParts,
  change: Envelope,
  schema: TableSchema,
  style: JsonStyle,
): { readonly change: Envelope; readonly oversized: readonly OversizedValue[] } {
  const row = change.row ?? '';
  const plain = style === NESTED ? (JSON.parse(`"${row}"`) as string) : row;
  const shrunk = shrinkRow(plain, schema, { bucket, table }, (smaller) => {
    const candidate = { ...change, row: smaller };
    return Math.max(
      lakehouse === null ? 0 : excessOf(envelopeLine(candidate, PLAIN), lakehouse),
      warehouse === null ? 0 : excessOf(stagedLine(candidate, schema), warehouse),
    );
  });
  return { change: { ...change, row: shrunk.row }, oversized: shrunk.oversized };
}

function excessOf(line: string, stream: DeliveryStream): number {
  return Buffer.byteLength(line, 'utf8') - stream.longestLine;
}

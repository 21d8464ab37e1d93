import type { TypedChange } from '../../flows/ports.ts';
import type { Cell, ColumnType } from '../../core/column.ts';
import { dayText, instantText } from '../../core/instant.ts';
import type { TableSchema } from '../../core/schema.ts';
import { shapeCells } from '../../core/sql/shape.ts';

/** A chunk of COPY data: large enough that writes cost nothing, small enough to be sent while the next is made. */
const CHUNK_CHARS = 128 * 1024;

const NULL = '\\N';

/**
 * Changes in COPY's text format, in chunks of some 128 KB: one line each, with the columns of `planTypedLoad`: key hash,
 * key, the schema's columns (all null for a delete), version, commit time, what was rescued, whether deleted.
 */
export function* copyChunks(changes: Iterable<TypedChange>, schema: TableSchema): Generator<Buffer> {
  const encoders = schema.columns.map((column) => encoderOf(column.type));
  const noCells = `\t${NULL}`.repeat(encoders.length);
  let chunk = '';
  // Changes that were committed together come together: their commit time is written once.
  let micros = Number.NaN;
  let committedAt = '';
  for (const { change, row } of changes) {
    chunk += change.keyHash + '\t' + escapeText(change.key);
    let rescued = NULL;
    if (row === null) {
      chunk += noCells;
    } else {
      const shaped = shapeCells(row, schema, 'postgres');
      const { cells } = shaped;
      for (const [index, encode] of encoders.entries()) {
        const cell = cells[index] ?? null;
        chunk += '\t' + (cell === null ? NULL : encode(cell));
      }
      if (shaped.rescued !== null) rescued = escapeText(shaped.rescued);
    }
    if (change.committedAtMicros !== micros) {
      micros = change.committedAtMicros;
      committedAt = instantText(BigInt(micros));
    }
    chunk += `\t${change.version}\t${committedAt}\t${rescued}\t${row === null ? 't' : 'f'}\n`;
    if (chunk.length >= CHUNK_CHARS) {
      yield Buffer.from(chunk);
      chunk = '';
    }
  }
  if (chunk !== '') yield Buffer.from(chunk);
}

const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A text as COPY reads it back; nearly none needs more than the look. */
export function escapeText(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\t\n\r]/g, (special) => ESCAPES[special] ?? special) : text;
}

type Encoder = (cell: NonNullable<Cell>) => string;

function encoderOf(type: ColumnType): Encoder {
  switch (type.kind) {
    case 'string':
    case 'json':
      return (cell) => escapeText(cell as string);
    case 'boolean':
      return (cell) => (cell === true ? 't' : 'f');
    case 'long':
      return String;
    case 'double':
      // String(-0) is '0'.
      return (cell) => (Object.is(cell, -0) ? '-0' : String(cell));
    case 'decimal': {
      const { scale } = type;
      return (cell) => scaledText(cell as bigint, scale);
    }
    case 'timestamp':
      return (cell) => instantText(cell as bigint);
    case 'date':
      return (cell) => dayText(cell as number);
    case 'binary':
      return (cell) => `\\\\x${Buffer.from(cell as Uint8Array).toString('hex')}`;
  }
}

/** An unscaled decimal with its point put in; PostgreSQL does not mind the zeros at the end. */
function scaledText(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString();
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

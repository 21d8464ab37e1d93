import { PREFIXES } from '../core/aws-names.ts';
import { envelopeLine } from '../core/envelope.ts';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import type { ErrorPart } from '../core/firehose-errors.ts';
import { parseErrorObject, restampedLines } from '../core/firehose-errors.ts';
import type { RedriveShelf } from './redrive-ports.ts';
import type { RedriveObject, Redriving } from './redriving.ts';
import { readText, tableInKey, unknownTable } from './redriving.ts';

type Target = 'lakehouse' | 'warehouse';

/** The most lines that are put at once: an error object may name files of many. */
const MOST_LINES = 20_000;

/**
 * An error object of Firehose, of either kind: its records, and the rows of the files that it names, are put to the same
 * target again with the time of now. What is neither stays in the object.
 */
export function redriveErrorObject(target: Target): RedriveObject {
  const prefix = target === 'lakehouse' ? PREFIXES.lakeErrors : PREFIXES.stagingErrors;
  return async (redriving, shelf, key) => {
    const name = tableInKey(key, prefix);
    const [text, table] = [await readText(shelf, key), await redriving.table(name)];
    if (text === null) return {};
    if (table === null) {
      redriving.note(unknownTable(key, name));
      return { unknown: 1 };
    }
    const rest: string[] = [];
    let redriven = 0;
    const parts = parseErrorObject(text);
    for (const part of parts) {
      const lines = await linesOf(redriving, { shelf, key, target }, part);
      if (lines === null) rest.push(part.kind === 'unknown' ? part.text : textOf(part));
      else {
        for (let at = 0; at < lines.length; at += MOST_LINES)
          await table.putLines(target, lines.slice(at, at + MOST_LINES));
        redriven += lines.length;
      }
    }
    if (rest.length < parts.length || parts.length === 0) {
      await shelf.settle(key, rest.length === 0 ? null : `${rest.join('\n')}\n`);
      redriving.parts.metrics.add('RedrivenRecords', redriven, { table: name, target });
    }
    return { redriven, unknown: rest.length };
  };
}

/** A part as the object can hold it again. */
function textOf(part: Exclude<ErrorPart, { kind: 'unknown' }>): string {
  if (part.kind === 'file') return JSON.stringify({ file: part.url });
  return JSON.stringify({ rawData: Buffer.from(part.data, 'utf8').toString('base64') });
}

interface Where {
  readonly shelf: RedriveShelf;
  readonly key: string;
  readonly target: Target;
}

/** The lines that a part asks to be put again; null where it cannot be read for what it is. */
async function linesOf(redriving: Redriving, where: Where, part: ErrorPart): Promise<readonly string[] | null> {
  const nowMicros = redriving.parts.nowMillis() * 1000;
  switch (part.kind) {
    case 'unknown':
      redriving.note(`${where.key}: a part of it is neither a record nor the path of a Parquet file. It stays.`);
      return null;
    case 'record': {
      const lines = restampedLines(part.data, where.target, nowMicros);
      if (lines === null) redriving.note(`${where.key}: a record in it is no envelope of ours. It stays.`);
      return lines;
    }
    case 'file':
      return fileLines(redriving, where, part.url, nowMicros);
  }
}

async function fileLines(redriving: Redriving, where: Where, url: string, nowMicros: number): Promise<string[] | null> {
  const { shelf, key, target } = where;
  const start = `s3://${shelf.bucket}/`;
  const fileKey = url.startsWith(start) ? url.slice(start.length) : null;
  if (target !== 'lakehouse' || !fileKey?.startsWith(PREFIXES.tables)) {
    redriving.note(`${key}: it names the file ${url}, which is not of this mirror's tables. It stays.`);
    return null;
  }
  const bytes = await shelf.read(fileKey);
  if (bytes === null) {
    redriving.note(`${key}: the file ${url} is gone; its rows can only come again from the source. It stays.`);
    return null;
  }
  try {
    const envelopes = await redriving.parts.readEnvelopes(bytes);
    return envelopes.map((envelope) => envelopeLine({ ...envelope, capturedAtMicros: nowMicros }));
  } catch (thrown) {
    if (!(thrown instanceof GlasshouseError && thrown.code === 'corrupt')) throw thrown;
    redriving.note(`${key}: the file ${url} cannot be read (${messageOf(thrown)}). It stays.`);
    return null;
  }
}

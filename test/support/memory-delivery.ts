import { setTimeout as sleep } from 'node:timers/promises';
import { parseEnvelopeLine } from '../../core/envelope.ts';
import type { Envelope } from '../../core/envelope.ts';
import { canonicalJson } from '../../core/row.ts';
import type { DeliveryStream } from '../../flows/delivery-stream.ts';

/** What becomes of the lines of one `put`: which are not taken, or that it fails, before or after it has taken all. */
export type PutFault = (line: number) => boolean;
export type PutScript = readonly (PutFault | 'fail' | 'fail-after')[];

/** A stream whose lines live as long as its object does. After the script's end it takes everything. */
export interface MemoryDelivery extends DeliveryStream {
  /** Every line that was taken, in order, those that a retry put again too. */
  readonly taken: readonly string[];
}

export function createMemoryDelivery(longestLine = 1_024_000, script: PutScript = []): MemoryDelivery {
  const taken: string[] = [];
  const left = [...script];
  return {
    taken,
    longestLine,
    async put(lines) {
      // As a real one does: whoever puts must not count on an answer at once.
      await sleep(0);
      const fault = left.shift() ?? (() => false);
      if (fault === 'fail') throw new Error('refused (scripted)');
      const isRefused = typeof fault === 'function' ? fault : () => false;
      const untaken = [...lines.keys()].filter(isRefused);
      taken.push(...lines.filter((_, line) => !isRefused(line)));
      if (fault === 'fail-after') throw new Error('reply lost (scripted)');
      return { untaken, retried: 0 };
    },
  };
}

/** Reads a line of the warehouse's staging: its row is JSON, not a text of JSON. */
export function parseStagedLine(line: string): Envelope {
  const fields = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const row = fields._row === null ? null : canonicalJson(fields._row);
  return parseEnvelopeLine(JSON.stringify({ ...fields, _row: row }));
}

import { createReadStream } from 'node:fs';
import type { Task } from './child-task.ts';
import { type ChangesRequest, type WrittenChanges, writeChangesFile } from './records.ts';

/** Writes a file of generated records. */
export const recordsTask: Task<ChangesRequest & { readonly path: string }, WrittenChanges> = {
  name: 'records',
  run: ({ path, ...request }) => writeChangesFile(path, request),
};

export interface Parsed {
  readonly lines: number;
  readonly seconds: number;
}

const READ_BYTES = 1 << 20;
const LINE_END = 0x0a;

/** The floor of a replay: `JSON.parse` of each line of its file, and nothing else. */
export const parseTask: Task<{ readonly path: string }, Parsed> = {
  name: 'parse',
  async run({ path }) {
    const startedAtMs = performance.now();
    let lines = 0;
    let rest = Buffer.alloc(0);
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
      const bytes = Buffer.concat([rest, chunk as Buffer]);
      let from = 0;
      for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, from)) {
        if (JSON.parse(bytes.toString('utf8', from, end)) !== null) lines++;
        from = end + 1;
      }
      rest = bytes.subarray(from);
    }
    return { lines, seconds: (performance.now() - startedAtMs) / 1000 };
  },
};

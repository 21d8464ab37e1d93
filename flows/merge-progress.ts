import type { Progress } from '../core/control.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { NewFiles, Watermark } from '../core/iceberg/new-files.ts';
import type { MergePorts } from './merge-ports.ts';

export const TARGET = 'lakehouse';

/** The name of the lease of who may merge a table. */
export function mergeLease(table: string): string {
  return `merge#${table}`;
}

/** What was merged last; null where nothing was yet. */
export function watermarkOf(progress: Progress | null): Watermark | null {
  return progress === null ? null : { sequence: progress.sequence, snapshotId: progress.snapshotId };
}

/** Whether a merge of these files has anything to do. */
export function hasNews(files: NewFiles): boolean {
  return files.upTo !== null && (files.whole !== null || files.files.length > 0);
}

/** Records that a table is fresh as of a moment, and that a snapshot without anything new is behind it. */
export async function recordFresh(
  { control, log }: MergePorts,
  table: string,
  { before, upTo, atMillis }: { before: Progress | null; upTo: Watermark | null; atMillis: number },
): Promise<void> {
  const mark = upTo ?? watermarkOf(before);
  // A changelog without a commit has nothing to be fresh about.
  if (mark === null) return;
  const { newestCommittedAtMicros = null, changes = 0 } = before ?? {};
  const progress = { ...mark, newestCommittedAtMicros, freshAtMillis: atMillis, changes };
  try {
    await control.writeProgress(table, TARGET, progress, before);
  } catch (thrown) {
    if (!(thrown instanceof GlasshouseError) || thrown.code !== 'conflict') throw thrown;
    // Whoever was faster knows more.
    log.info('Another run recorded the progress of a table first', { table });
  }
}

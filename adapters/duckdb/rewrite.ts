import type { DataFile, LiveFile } from '../../core/iceberg/data-file.ts';
import type { FileRewriter } from '../iceberg/compact.ts';
import { removeQuietly } from '../iceberg/durable-files.ts';
import { type Duck, withConnection } from './connection.ts';
import { copyToParquet } from './parquet.ts';
import { DELETE_FIELDS, describeDeleteFile } from './position-deletes.ts';
import { countDeletedRows, snapshotSelect, textList } from './read.ts';

/** Rewrites a table's files for compaction. Its methods throw `unavailable`, and leave no file, when the disk refuses. */
export function fileRewriter(duck: Duck): FileRewriter {
  return {
    countDeletedRows: (deletes) => countDeletedRows(duck, deletes),
    async rewriteData(rows, target) {
      const source = `FROM (${snapshotSelect(rows)})`;
      const copy = { ...target, source, fields: rows.fields };
      return unlessEmpty(await withConnection(duck, (connection) => copyToParquet(connection, copy)));
    },
    async mergeDeletes(deletes, live, target) {
      const referenced = [...(await countDeletedRows(duck, deletes)).keys()].filter((path) => live.has(path));
      if (referenced.length === 0) return null;
      const copy = { ...target, source: deletesOf(deletes, referenced), fields: DELETE_FIELDS };
      const written = await withConnection(duck, (connection) => copyToParquet(connection, copy));
      return unlessEmpty(describeDeleteFile(written, referenced));
    },
  };
}

function deletesOf(deletes: readonly LiveFile[], referenced: readonly string[]): string {
  const paths = textList(deletes.map((file) => file.path));
  const wanted = `SELECT DISTINCT file_path, pos FROM read_parquet(${paths}) WHERE file_path IN ${textList(referenced)}`;
  return `FROM (${wanted}) ORDER BY file_path, pos`;
}

async function unlessEmpty(file: DataFile): Promise<DataFile | null> {
  if (file.recordCount > 0) return file;
  await removeQuietly(file.path);
  return null;
}

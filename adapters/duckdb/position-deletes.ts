import {
  DELETE_FILE_PATH_ID,
  DELETE_POSITION_ID,
  type DataFile,
  type Partition,
} from '../../core/iceberg/data-file.ts';
import type { IcebergField } from '../../core/iceberg/fields.ts';
import type { Duck } from './connection.ts';
import { writeParquet } from './parquet.ts';

/** The columns of a position delete file. */
export const DELETE_FIELDS: readonly IcebergField[] = [
  { id: DELETE_FILE_PATH_ID, name: 'file_path', type: 'string', required: true },
  { id: DELETE_POSITION_ID, name: 'pos', type: 'long', required: true },
];

/** Positions of deleted rows, from 0, by data file; in any order, without duplicates. */
export type DeletedPositions = ReadonlyMap<string, ArrayLike<number>>;

const UTF8 = new TextEncoder();

/** Writes a durable position delete file, sorted by file and position. At least one position must be given. */
export async function writePositionDeletes(
  duck: Duck,
  deleted: DeletedPositions,
  path: string,
  partition: Partition = {},
): Promise<DataFile> {
  const files = [...deleted.keys()].filter((file) => (deleted.get(file)?.length ?? 0) > 0).sort();
  const chunks = files.map((file) => {
    const positions = Float64Array.from(deleted.get(file) ?? []).sort();
    return [new Array<string>(positions.length).fill(file), positions] as const;
  });
  const written = await writeParquet(duck, DELETE_FIELDS, chunks, path);
  return describeDeleteFile({ ...written, partition }, files);
}

/** A written file as a position delete file that refers to these data files. */
export function describeDeleteFile(written: DataFile, referenced: readonly string[]): DataFile {
  const sorted = [...referenced].sort();
  const first = sorted[0];
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) return { ...written, content: 'position-deletes' };
  return {
    ...written,
    content: 'position-deletes',
    // Whole paths: readers take equal bounds for the one file that the deletes refer to.
    lowerBounds: new Map([...written.lowerBounds, [DELETE_FILE_PATH_ID, UTF8.encode(first)]]),
    upperBounds: new Map([...written.upperBounds, [DELETE_FILE_PATH_ID, UTF8.encode(last)]]),
    ...(first === last ? { referencedDataFile: first } : {}),
  };
}

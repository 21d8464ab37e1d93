import { GlasshouseError } from '../errors.ts';

/** A snapshot of a table that others write. Ids are 64-bit numbers, so they are text. */
export interface HistorySnapshot {
  readonly id: string;
  readonly parentId: string | null;
  readonly sequence: number;
  readonly committedAtMillis: number;
  readonly manifestList: string;
  /** `append`, `replace` (a compaction), `overwrite` or `delete`; null where the writer does not say. */
  readonly operation: string | null;
  /** Rows of the table after it, where the writer says. */
  readonly totalRecords: number | null;
}

/** What `metadata.json` of a changelog says, as far as a merge must know it. */
export interface TableHistory {
  readonly location: string;
  readonly current: HistorySnapshot | null;
  readonly snapshots: ReadonlyMap<string, HistorySnapshot>;
  /** The ids of the changelog's columns: a catalog may have given its own. Null where a column is not there. */
  readonly columnIds: Readonly<Record<'capturedAt' | 'committedAt' | 'operation', number | null>>;
  /** The ids of the partition fields, of any spec, that are the operation. */
  readonly operationPartitionIds: ReadonlySet<number>;
}

/** In JSON's text a name is never followed by a colon inside a string, since its own quotes would be escaped there. */
const SNAPSHOT_IDS = /"((?:parent-|current-)?snapshot-id)"(\s*:\s*)(-?\d+)/g;

interface MetadataJson {
  readonly 'format-version'?: unknown;
  readonly location?: unknown;
  readonly 'current-schema-id'?: unknown;
  readonly schemas?: unknown;
  readonly 'partition-specs'?: unknown;
  readonly 'current-snapshot-id'?: unknown;
  readonly snapshots?: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads `metadata.json` of any Iceberg writer. `path` is named in errors. Throws GlasshouseError `corrupt` where it is no
 * metadata of format version 2.
 */
export function parseTableHistory(text: string, path: string): TableHistory {
  const metadata = parse(text, path);
  if (metadata['format-version'] !== 2) {
    throw unreadable(path, `has format version ${String(metadata['format-version'])}, and version 2 is read`);
  }
  const snapshots = new Map(
    objects(metadata.snapshots).map((json) => [String(json['snapshot-id']), snapshotOf(json, path)]),
  );
  const currentId = metadata['current-snapshot-id'];
  const hasCurrent = typeof currentId === 'string' && currentId !== '-1';
  const current = hasCurrent ? (snapshots.get(currentId) ?? null) : null;
  if (hasCurrent && current === null)
    throw unreadable(path, `names the snapshot ${currentId} as current, and lacks it`);
  const columnIds = columnIdsOf(metadata);
  const parts = objects(metadata['partition-specs']).flatMap((spec) => objects(spec.fields));
  const operationParts = parts.filter(
    (part) => part['source-id'] === columnIds.operation && part.transform === 'identity',
  );
  return {
    location: String(metadata.location),
    current,
    snapshots,
    columnIds,
    operationPartitionIds: new Set(operationParts.map((part) => Number(part['field-id']))),
  };
}

function parse(text: string, path: string): MetadataJson {
  try {
    return JSON.parse(text.replace(SNAPSHOT_IDS, '"$1"$2"$3"')) as MetadataJson;
  } catch (cause) {
    throw unreadable(path, 'is no JSON', cause);
  }
}

function snapshotOf(json: Json, path: string): HistorySnapshot {
  const manifestList = json['manifest-list'];
  if (typeof manifestList !== 'string')
    throw unreadable(path, `has a snapshot ${String(json['snapshot-id'])} without a manifest list`);
  const summary = (json.summary ?? {}) as Json;
  const parentId = json['parent-snapshot-id'];
  const totalRecords = Number(summary['total-records']);
  return {
    id: String(json['snapshot-id']),
    parentId: typeof parentId === 'string' && parentId !== '-1' ? parentId : null,
    sequence: Number(json['sequence-number'] ?? 0),
    committedAtMillis: Number(json['timestamp-ms']),
    manifestList,
    operation: typeof summary.operation === 'string' ? summary.operation : null,
    totalRecords: Number.isSafeInteger(totalRecords) ? totalRecords : null,
  };
}

function columnIdsOf(metadata: MetadataJson): TableHistory['columnIds'] {
  const schema = objects(metadata.schemas).find((one) => one['schema-id'] === metadata['current-schema-id']);
  const ids = new Map(objects(schema?.fields).map((field) => [field.name, Number(field.id)]));
  return {
    capturedAt: ids.get('_captured_at') ?? null,
    committedAt: ids.get('_committed_at') ?? null,
    operation: ids.get('_op') ?? null,
  };
}

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function unreadable(path: string, what: string, cause?: unknown): GlasshouseError {
  return new GlasshouseError(
    'corrupt',
    `${path} ${what}: let the table's newest good metadata be its pointer in the catalog again.`,
    {
      cause,
    },
  );
}

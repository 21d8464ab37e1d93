import type { ManifestFile } from './manifest-list.ts';
import { type Snapshot, type TableMetadata, snapshotById } from './metadata.ts';

/** Which snapshots to keep. A snapshot goes only when every rule given lets it go. */
export interface Retention {
  /** The newest so many stay; at least 1. */
  readonly keep: number;
  /** Those committed at this epoch millisecond or later stay. */
  readonly newerThanMs?: number;
  /** This snapshot and all after it stay: somebody has yet to read what they added. */
  readonly from?: number;
}

export interface ExpiryPlan {
  readonly metadata: TableMetadata;
  readonly expired: readonly Snapshot[];
}

/** The metadata without the snapshots that the rules let go. The current one and those that a ref names always stay. */
export function planExpiry(metadata: TableMetadata, retention: Retention): ExpiryPlan {
  const named = new Set(Object.values(metadata.refs).map((ref) => ref['snapshot-id']));
  if (typeof metadata['current-snapshot-id'] === 'number') named.add(metadata['current-snapshot-id']);
  const from = retention.from === undefined ? undefined : snapshotById(metadata, retention.from);
  const firstKept = metadata.snapshots.length - Math.max(1, retention.keep);
  const expired = metadata.snapshots.filter((snapshot, index) => {
    if (index >= firstKept || named.has(snapshot['snapshot-id'])) return false;
    if (retention.newerThanMs !== undefined && snapshot['timestamp-ms'] >= retention.newerThanMs) return false;
    return from === undefined || snapshot['sequence-number'] < from['sequence-number'];
  });
  if (expired.length === 0) return { metadata, expired };
  const gone = new Set(expired.map((snapshot) => snapshot['snapshot-id']));
  const log = metadata['snapshot-log'];
  // History before a gap cannot be travelled to, so the log begins after the last snapshot that went.
  const logStart = log.findLastIndex((entry) => gone.has(entry['snapshot-id'])) + 1;
  return {
    expired,
    metadata: {
      ...metadata,
      snapshots: metadata.snapshots.filter((snapshot) => !gone.has(snapshot['snapshot-id'])),
      'snapshot-log': log.slice(logStart),
    },
  };
}

/** What some snapshots reach: their manifest lists, those lists' manifests, and the files these name as live. */
export interface Reachable {
  readonly lists: ReadonlySet<string>;
  readonly manifests: ReadonlyMap<string, ManifestFile>;
  readonly files: ReadonlySet<string>;
}

/** Paths that only the expired snapshots reach, data files first: an interrupted removal leaves what names the rest. */
export function unreachableFiles(expired: Reachable, kept: Reachable): string[] {
  return [
    ...[...expired.files].filter((path) => !kept.files.has(path)),
    ...[...expired.manifests.keys()].filter((path) => !kept.manifests.has(path)),
    ...[...expired.lists].filter((path) => !kept.lists.has(path)),
  ];
}

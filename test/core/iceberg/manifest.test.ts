import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { TableCommit } from '../../../core/iceberg/commit.ts';
import {
  type DecodedEntry,
  type ManifestEntry,
  decodeManifest,
  encodeManifest,
} from '../../../core/iceberg/manifest.ts';
import {
  type ManifestFile,
  decodeManifestList,
  describeManifest,
  encodeManifestList,
} from '../../../core/iceberg/manifest-list.ts';
import { MAX_SMALL_MANIFESTS, manifestsToMerge, planManifests } from '../../../core/iceberg/manifest-plan.ts';
import { createMetadata, currentSchema, currentSpec } from '../../../core/iceberg/metadata.ts';
import { ORDERS, dataFile, liveFile } from './sample-files.ts';

const deflate = {
  compress: (bytes: Uint8Array) => deflateRawSync(bytes),
  decompress: (bytes: Uint8Array) => inflateRawSync(bytes),
};

const changelog = createMetadata(
  {
    fields: [
      { id: 1, name: '_op', type: 'string', required: true },
      { id: 2, name: '_at', type: 'timestamp', required: true },
    ],
    partition: [
      { sourceId: 1, transform: 'identity', name: '_op' },
      { sourceId: 2, transform: 'day', name: '_at_day' },
    ],
  },
  { location: '/lake/c', uuid: 'u', nowMs: 0 },
);
const context = { schema: currentSchema(changelog), spec: currentSpec(changelog), deflate };

function added(file: ManifestEntry['file']): ManifestEntry {
  return { status: 'added', snapshotId: 7, dataSequenceNumber: null, fileSequenceNumber: null, file };
}

const append: TableCommit = { operation: 'append', dataFiles: [], deleteFiles: [], summary: {} };

function manifest(path: string, files: number): ManifestFile {
  const entries = Array.from({ length: files }, (_, index) => added(dataFile(`${path}-${index}`)));
  const place = { path, lengthBytes: 1, snapshotId: 7, sequenceNumber: 3 };
  return describeManifest('data', entries, {
    ...place,
    spec: currentSpec(createMetadata(ORDERS, { location: '/l', uuid: 'u', nowMs: 0 })),
  });
}

describe('a manifest', () => {
  it('gives back every entry, with what the commit decides inherited by the added', () => {
    const file = dataFile('/lake/c/1.parquet', 5, { partition: { _op: 'delete', _at_day: -3 } });
    const nowhere = dataFile('/lake/c/2.parquet', 6, {
      partition: { _op: null, _at_day: 20779 },
      lowerBounds: new Map(),
    });
    const old: ManifestEntry = {
      status: 'existing',
      snapshotId: 4,
      dataSequenceNumber: 2,
      fileSequenceNumber: 1,
      file: nowhere,
    };
    const bytes = encodeManifest('data', [added(file), old], context);
    expect(decodeManifest(bytes, { sequenceNumber: 9, snapshotId: 8 }, deflate)).toEqual([
      { status: 'added', file: { ...file, dataSequenceNumber: 9, fileSequenceNumber: 9, snapshotId: 7 } },
      { status: 'existing', file: { ...nowhere, dataSequenceNumber: 2, fileSequenceNumber: 1, snapshotId: 4 } },
    ]);
  });

  it('is described with its counts and the range of its partitions', () => {
    const entries = [
      added(dataFile('a', 5, { partition: { _op: 'update', _at_day: 300 } })),
      added(dataFile('b', 6, { partition: { _op: 'delete', _at_day: 2 } })),
      {
        ...added(dataFile('c', 7, { partition: { _op: null, _at_day: null } })),
        status: 'deleted' as const,
        dataSequenceNumber: 1,
      },
    ];
    const place = { path: '/m.avro', lengthBytes: 99, snapshotId: 7, sequenceNumber: 3 };
    const described = describeManifest('data', entries, { ...place, spec: context.spec });
    expect(described).toMatchObject({
      addedFiles: 2,
      addedRows: 11,
      deletedFiles: 1,
      deletedRows: 7,
      minSequenceNumber: 3,
    });
    expect(described.partitions).toEqual(
      [
        { containsNull: true, lowerBound: Buffer.from('delete'), upperBound: Buffer.from('update') },
        { containsNull: true, lowerBound: Uint8Array.of(2, 0, 0, 0), upperBound: Uint8Array.of(44, 1, 0, 0) },
      ].map((summary) => ({
        ...summary,
        lowerBound: new Uint8Array(summary.lowerBound),
        upperBound: new Uint8Array(summary.upperBound),
      })),
    );
    const list = encodeManifestList([described], { snapshotId: 7, parentSnapshotId: null, sequenceNumber: 3 }, deflate);
    expect(decodeManifestList(list, deflate)).toEqual([described]);
  });

  it('is refused by name when it is something else', () => {
    const list = encodeManifestList([], { snapshotId: 7, parentSnapshotId: 6, sequenceNumber: 3 }, deflate);
    expect(decodeManifest(list, { sequenceNumber: 1, snapshotId: 1 }, deflate)).toEqual([]);
    const one = encodeManifestList(
      [manifest('m', 1)],
      { snapshotId: 7, parentSnapshotId: 6, sequenceNumber: 3 },
      deflate,
    );
    expect(() => decodeManifest(one, { sequenceNumber: 1, snapshotId: 1 }, deflate)).toThrow(/status/);
  });
});

describe('manifests of a commit', () => {
  it('are carried on as they are, next to one of what is added', () => {
    const parent = [manifest('m1', 1), manifest('m2', 2)];
    const plan = planManifests(
      parent,
      { ...append, dataFiles: [dataFile('new')] },
      { snapshotId: 8, entriesOf: new Map() },
    );
    expect(plan.carried).toEqual(parent);
    expect(plan.written).toHaveLength(1);
    expect(plan.written[0]?.entries[0]).toMatchObject({ status: 'added', snapshotId: 8, dataSequenceNumber: null });
  });

  it('are merged when there are too many small ones, and their files keep their place in history', () => {
    const parent = Array.from({ length: MAX_SMALL_MANIFESTS + 1 }, (_, index) => manifest(`m${index}`, 1));
    const entriesOf = new Map<string, DecodedEntry[]>(
      parent.map((one, index) => [
        one.path,
        [{ status: 'added', file: liveFile(one.path, { dataSequenceNumber: index }) }],
      ]),
    );
    expect(manifestsToMerge(parent)).toHaveLength(parent.length);
    const plan = planManifests(parent, { ...append, dataFiles: [dataFile('new')] }, { snapshotId: 8, entriesOf });
    expect(plan.carried).toEqual([]);
    expect(plan.written.map((one) => one.entries.length)).toEqual([1, parent.length]);
    expect(plan.written[1]?.entries[3]).toMatchObject({ status: 'existing', dataSequenceNumber: 3, snapshotId: 1 });
  });

  it('leave large ones alone', () => {
    expect(manifestsToMerge(Array.from({ length: 60 }, (_, index) => manifest(`m${index}`, 2000)))).toEqual([]);
  });

  it('mark what is removed, and a file that is not there is a conflict', () => {
    const parent = [manifest('m1', 2), manifest('m2', 1)];
    const entriesOf = new Map<string, DecodedEntry[]>([
      [
        'm1',
        [
          { status: 'added', file: liveFile('a') },
          { status: 'added', file: liveFile('b') },
        ],
      ],
      ['m2', [{ status: 'added', file: liveFile('c') }]],
    ]);
    const options = { snapshotId: 8, entriesOf };
    const plan = planManifests(parent, { ...append, operation: 'replace', removeFiles: ['a'] }, options);
    expect(plan.removed.map((file) => file.path)).toEqual(['a']);
    expect(plan.carried.map((one) => one.path)).toEqual(['m2']);
    expect(plan.written[0]?.entries).toMatchObject([
      { status: 'deleted', snapshotId: 8, dataSequenceNumber: 1 },
      { status: 'existing', snapshotId: 1, dataSequenceNumber: 1 },
    ]);
    expect(() => planManifests(parent, { ...append, removeFiles: ['a', 'gone'] }, options)).toThrow(/gone/);
  });
});

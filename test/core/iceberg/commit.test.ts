import { describe, expect, it } from 'vitest';
import { PREVIOUS_METADATA_FILES, planMetadata, planSummary, withPredecessor } from '../../../core/iceberg/commit.ts';
import { withFields } from '../../../core/iceberg/evolution.ts';
import { planExpiry } from '../../../core/iceberg/expiry.ts';
import {
  type TableMetadata,
  createMetadata,
  currentFields,
  currentSnapshot,
  parseMetadata,
} from '../../../core/iceberg/metadata.ts';
import { ORDERS, dataFile } from './sample-files.ts';

const born = createMetadata(ORDERS, { location: '/lake/orders', uuid: 'u', nowMs: 1000 });

function withSnapshot(metadata: TableMetadata, snapshotId: number, nowMs: number): TableMetadata {
  return planMetadata(
    metadata,
    { snapshotId, nowMs, manifestList: `/lake/orders/metadata/snap-${snapshotId}.avro` },
    {
      operation: 'append',
    },
  );
}

describe('a commit, as data', () => {
  it('makes a history: number, parent, log, ref and time follow from the metadata before', () => {
    const first = withSnapshot(born, 11, 2000);
    const second = withSnapshot(first, 12, 3000);
    expect(currentSnapshot(born)).toBeNull();
    expect(currentSnapshot(first)).not.toHaveProperty('parent-snapshot-id');
    expect(currentSnapshot(second)).toMatchObject({
      'snapshot-id': 12,
      'parent-snapshot-id': 11,
      'sequence-number': 2,
      'timestamp-ms': 3000,
      'schema-id': 0,
    });
    expect(second.refs.main).toEqual({ 'snapshot-id': 12, type: 'branch' });
    expect(second['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([11, 12]);
    expect(second['last-sequence-number']).toBe(2);
  });

  it('never lets time run backwards when the clock does', () => {
    const second = withSnapshot(withSnapshot(born, 11, 5000), 12, 4000);
    expect(currentSnapshot(second)?.['timestamp-ms']).toBe(5000);
  });

  it('adds up totals from the parent and keeps our own properties', () => {
    const deletes = dataFile('d', 3, { content: 'position-deletes' });
    const parentSummary = planSummary(
      null,
      { operation: 'append', dataFiles: [dataFile('a', 10), dataFile('b', 5)], deleteFiles: [], summary: {} },
      [],
    );
    const parent = { ...withSnapshot(born, 11, 2000).snapshots[0], summary: parentSummary };
    const summary = planSummary(
      parent as NonNullable<ReturnType<typeof currentSnapshot>>,
      {
        operation: 'overwrite',
        dataFiles: [dataFile('c', 7)],
        deleteFiles: [deletes],
        summary: { 'glasshouse.w': '9' },
      },
      [dataFile('a', 10)],
    );
    expect(summary).toMatchObject({
      operation: 'overwrite',
      'glasshouse.w': '9',
      'added-data-files': '1',
      'added-records': '7',
      'added-position-deletes': '3',
      'deleted-data-files': '1',
      'deleted-records': '10',
      'total-records': '12',
      'total-data-files': '2',
      'total-delete-files': '1',
      'total-position-deletes': '3',
    });
  });

  it('keeps the metadata log short', () => {
    let metadata = born;
    for (let version = 1; version < 40; version++) {
      metadata = withPredecessor(metadata, { path: `v${version}.metadata.json`, lastUpdatedMs: version });
    }
    expect(metadata['metadata-log']).toHaveLength(PREVIOUS_METADATA_FILES);
    expect(metadata['metadata-log'].at(-1)).toEqual({ 'timestamp-ms': 39, 'metadata-file': 'v39.metadata.json' });
  });
});

describe('added columns', () => {
  const note = { id: 3, name: 'note', type: 'string', required: false } as const;

  it('make a new schema once, however often they are added', () => {
    const once = withFields(born, [note]);
    expect(withFields(once, [note])).toBe(once);
    expect(once['current-schema-id']).toBe(1);
    expect(once['last-column-id']).toBe(3);
    expect(once.schemas).toHaveLength(2);
    expect(once.schemas[1]?.['identifier-field-ids']).toEqual([1]);
    expect(currentFields(once).map((field) => field.name)).toEqual(['id', 'total', 'note']);
  });

  it('widen where Iceberg allows it, and a late writer does not narrow them again', () => {
    const int = withFields(born, [{ ...note, type: 'int' }]);
    const long = withFields(int, [{ ...note, type: 'long' }]);
    expect(currentFields(long)[2]?.type).toBe('long');
    expect(withFields(long, [{ ...note, type: 'int' }])).toBe(long);
  });

  it('are refused when the id or the name is taken, or old rows could not have them', () => {
    expect(() => withFields(born, [{ ...note, id: 2 }])).toThrow(/cannot be added/);
    expect(() => withFields(born, [{ ...note, name: 'total' }])).toThrow(/cannot be added/);
    expect(() => withFields(withFields(born, [note]), [{ ...note, type: 'long' }])).toThrow(/cannot be added/);
    expect(() => withFields(born, [{ ...note, required: true }])).toThrow(/required/);
  });
});

describe('a definition', () => {
  it('is refused when it cannot be', () => {
    const make = (more: object) => () =>
      createMetadata({ ...ORDERS, ...more }, { location: '/l', uuid: 'u', nowMs: 0 });
    const field = { id: 1, name: 'a', type: 'string', required: false } as const;
    expect(make({ fields: [field, field] })).toThrow(/given twice/);
    expect(make({ fields: [field], identifierFieldIds: [1] })).toThrow(/identifier/);
    expect(make({ fields: [{ ...field, type: 'decimal(39,2)' }], identifierFieldIds: [] })).toThrow(/precision/);
    expect(make({ partition: [{ sourceId: 1, transform: 'day', name: 'd' }] })).toThrow(/timestamp/);
  });
});

describe('metadata from elsewhere', () => {
  it('is refused with its path when it is damaged, of another version, or of a writer with larger ids', () => {
    expect(() => parseMetadata('{', '/x/v1')).toThrow(/\/x\/v1 is no JSON/);
    expect(() => parseMetadata('{"format-version":3}', '/x/v1')).toThrow(/format version 3/);
    const large = JSON.stringify(withSnapshot(born, 11, 1)).replaceAll(':11,', ':9007199254740993,');
    expect(() => parseMetadata(large, '/x/v1')).toThrow(/another writer/);
  });
});

describe('expiry, as data', () => {
  const five = [1, 2, 3, 4, 5].reduce((metadata, id) => withSnapshot(metadata, id, id * 1000 + 1000), born);
  const left = (retention: Parameters<typeof planExpiry>[1]) =>
    planExpiry(five, retention).metadata.snapshots.map((snapshot) => snapshot['snapshot-id']);

  it('keeps the newest, the young, and all from the one still needed', () => {
    expect(left({ keep: 2 })).toEqual([4, 5]);
    expect(left({ keep: 1, newerThanMs: 4000 })).toEqual([3, 4, 5]);
    expect(left({ keep: 1, from: 2 })).toEqual([2, 3, 4, 5]);
    expect(left({ keep: 0 })).toEqual([5]);
  });

  it('returns the very same metadata when nothing goes', () => {
    expect(planExpiry(five, { keep: 5 }).metadata).toBe(five);
  });

  it('keeps what a ref names, and ends the log where history has a gap', () => {
    const tagged = { ...five, refs: { ...five.refs, audit: { 'snapshot-id': 2, type: 'tag' } as const } };
    const { metadata, expired } = planExpiry(tagged, { keep: 1 });
    expect(expired.map((snapshot) => snapshot['snapshot-id'])).toEqual([1, 3, 4]);
    expect(metadata.snapshots.map((snapshot) => snapshot['snapshot-id'])).toEqual([2, 5]);
    expect(metadata['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([5]);
  });
});

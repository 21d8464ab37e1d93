import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Duck, DuckDBConnection } from '../../../adapters/duckdb/connection.ts';
import { openDuck, withConnection } from '../../../adapters/duckdb/connection.ts';
import type { ChangelogFile, NewFiles } from '../../../core/iceberg/new-files.ts';
import { instantText } from '../../../core/instant.ts';
import { materialize } from '../../../core/merge.ts';
import { duckdb } from '../../../core/sql/dialects/duckdb.ts';
import { historyView, liveView } from '../../../core/sql/lake-views.ts';
import { MERGE_LIMITS, planMerge } from '../../../core/sql/plans/merge.ts';
import { changeOf } from '../../support/changes.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import type { Arrival, LakeHistory } from './lake-histories.ts';
import { anyLakeHistory } from './lake-histories.ts';

const SCHEMA = schemaOf({ word: { kind: 'string' } });
const TABLE = { database: 'main', table: 'orders' };

let duck: Duck;
beforeAll(async () => {
  duck = await openDuck({ threads: 1 });
});
afterAll(() => {
  duck.close();
});

const CREATE = `
DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS orders__changes;
CREATE TABLE orders (id VARCHAR, word VARCHAR, _key_hash VARCHAR, _version VARCHAR, _committed_at TIMESTAMP, _rescued VARCHAR);
CREATE TABLE orders__changes (_key VARCHAR, _key_hash VARCHAR, _version VARCHAR, _op VARCHAR, _committed_at TIMESTAMP,
  _captured_at TIMESTAMP, _schema INTEGER, _row VARCHAR, _cause VARCHAR, _file VARCHAR, _commit INTEGER)`;

function insertOf(arrivals: readonly Arrival[], commit: number): string {
  const rows = arrivals.map(({ envelope: one, file }) => {
    const row = one.row === null ? 'NULL' : `'${one.row}'`;
    const [committed, captured] = [one.committedAtMicros, one.capturedAtMicros].map((micros) =>
      instantText(BigInt(micros)),
    );
    return `('${one.key}', '${one.keyHash}', '${one.version}', '${one.operation}', '${committed}', '${captured}', 1, ${row}, '${one.cause}', '${file}', ${commit})`;
  });
  return `INSERT INTO orders__changes VALUES ${rows.join(', ')}`;
}

function filesOf(arrivals: readonly Arrival[], commit: number, hasBounds: boolean): ChangelogFile[] {
  const spanOf = (micros: readonly number[]) =>
    hasBounds ? { from: Math.min(...micros), to: Math.max(...micros) } : null;
  return [...new Set(arrivals.map((one) => one.file))].map((path) => {
    const rows = arrivals.filter((one) => one.file === path).map((one) => one.envelope);
    return {
      path,
      records: rows.length,
      sequence: commit,
      operation: hasBounds ? (rows[0]?.operation ?? null) : null,
      capturedAt: spanOf(rows.map((row) => row.capturedAtMicros)),
      committedAt: spanOf(rows.map((row) => row.committedAtMicros)),
    };
  });
}

type Rewrite = (statement: string) => string;
/** What a reader of a view sees, by key hash, and what it should see. */
type Look = (connection: DuckDBConnection, soFar: readonly Arrival[], mergedUpTo: number) => Promise<void>;

/** Plays a history; answers the rows of the state, by key hash. */
async function play(history: LakeHistory, rewrite: Rewrite, look?: Look): Promise<Map<string, string>> {
  return withConnection(duck, async (connection) => {
    await connection.run(CREATE);
    const soFar: Arrival[] = [];
    let waiting: ChangelogFile[] = [];
    let commit = 0;
    let mergedUpTo = 0;
    for (const happening of history.happenings) {
      if (happening.kind === 'append') {
        commit++;
        if (happening.arrivals.length > 0) await connection.run(insertOf(happening.arrivals, commit));
        waiting.push(...filesOf(happening.arrivals, commit, happening.hasBounds));
        soFar.push(...happening.arrivals);
      } else {
        const records = waiting.reduce((sum, file) => sum + file.records, 0);
        const files: NewFiles = {
          upTo: { sequence: commit, snapshotId: `${commit}` },
          whole: null,
          files: waiting,
          records,
        };
        const limits = { ...MERGE_LIMITS, filesPerStatement: history.filesPerStatement };
        const statements = planMerge(TABLE, SCHEMA, files, { dialect: duckdb, limits });
        for (const statement of statements.slice(0, happening.statements ?? Infinity))
          await connection.run(rewrite(statement));
        const isWhole = happening.statements === null || happening.statements >= statements.length;
        if (isWhole && happening.isRecorded) {
          waiting = [];
          mergedUpTo = commit;
        }
      }
      await look?.(connection, soFar, mergedUpTo);
    }
    return rowsOf(connection, 'orders');
  });
}

async function rowsOf(connection: DuckDBConnection, relation: string): Promise<Map<string, string>> {
  const sql = `SELECT _key_hash, _version || ' ' || id || ' ' || word || ' ' || _committed_at || ' ' || coalesce(_rescued, '-') FROM ${relation}`;
  const rows = (await connection.runAndReadAll(sql)).getRows();
  expect(new Set(rows.map(([keyHash]) => keyHash)).size, 'a key stands there twice').toBe(rows.length);
  return new Map(rows.map(([keyHash, text]) => [String(keyHash), String(text)]));
}

function model(arrivals: readonly Arrival[]): Map<string, string> {
  const rows = materialize(arrivals.map((one) => one.envelope));
  return new Map(
    [...rows].map(([keyHash, { version, row, committedAtMicros }]) => {
      const { id, word } = JSON.parse(row ?? '{}') as { id: string; word: string };
      const committed = instantText(BigInt(committedAtMicros)).replace(/\.000000$/, '');
      return [keyHash, `${version} ${id} ${word} ${committed} -`];
    }),
  );
}

function arrivalsOf(history: LakeHistory): Arrival[] {
  return history.happenings.flatMap((one) => (one.kind === 'append' ? [...one.arrivals] : []));
}

const asPlanned: Rewrite = (statement) => statement;

describe('a planned merge, run by DuckDB', () => {
  it('ends equal to the model, however changes arrive and merges fail', async () => {
    let keys = 0;
    await fc.assert(
      fc.asyncProperty(anyLakeHistory(SCHEMA), async (history) => {
        keys += new Set(history.envelopes.map((one) => one.keyHash)).size;
        expect(await play(history, asPlanned)).toEqual(model(arrivalsOf(history)));
      }),
      { numRuns: 50 },
    );
    expect(keys).toBeGreaterThan(600);
  });

  it('of the whole changelog ends equal to the model too, over whatever stood there', async () => {
    await fc.assert(
      fc.asyncProperty(anyLakeHistory(SCHEMA), async (history) => {
        const whole: NewFiles = { upTo: { sequence: 9, snapshotId: '9' }, whole: 'rolled-back', files: [], records: 0 };
        const statements = planMerge(TABLE, SCHEMA, whole, { dialect: duckdb });
        const half = { ...history, happenings: history.happenings.slice(0, -1) };
        await withConnection(duck, async (connection) => {
          await play(half, asPlanned);
          for (const statement of [...statements, ...statements]) await connection.run(statement);
          expect(await rowsOf(connection, 'orders')).toEqual(model(arrivalsOf(history)));
        });
      }),
      { numRuns: 25 },
    );
  });
});

describe('the rules are needed: without one, some history ends wrong', () => {
  async function endsWrong(rewrite: Rewrite): Promise<boolean> {
    const law = fc.asyncProperty(anyLakeHistory(SCHEMA, 5), async (history) => {
      expect(await play(history, rewrite)).toEqual(model(arrivalsOf(history)));
    });
    return (await fc.check(law, { seed: 7, numRuns: 300, endOnFailure: true })).failed;
  }

  it.each<readonly [string, RegExp, string]>([
    ['the look-back at deletes', /WHERE "_op" = 'delete'/, 'WHERE false'],
    ['the guard of deletes', /s\."_version" > t\."_version" AND s\."_op"/, 's."_op"'],
    ['the guard of updates', /s\."_version" > t\."_version" THEN UPDATE/, 'true THEN UPDATE'],
    ['leaving out deletes that match nothing', /WHEN NOT MATCHED AND s\."_op" <> 'delete'/, 'WHEN NOT MATCHED'],
    ['the newest of each key', /ORDER BY "_version" DESC/, 'ORDER BY "_version"'],
  ])('%s', async (_, rule, broken) => {
    expect(
      await endsWrong((statement) => {
        expect(statement).toMatch(/MERGE INTO/);
        return statement.replace(rule, broken);
      }),
    ).toBe(true);
  });

  it('the slack of the look-back: the source may tell a delete a little too early', async () => {
    const [update, gone] = [
      changeOf({ id: 'a', at: 1, image: { word: { S: 'x' } } }, SCHEMA),
      changeOf({ id: 'a', at: 2 }, SCHEMA),
    ];
    const at = update.committedAtMicros;
    const [late, early] = [
      { ...update, committedAtMicros: at, capturedAtMicros: at },
      { ...gone, committedAtMicros: at - 4 * 60_000_000, capturedAtMicros: at },
    ];
    const merge = { kind: 'merge', statements: null, isRecorded: true } as const;
    const history: LakeHistory = {
      happenings: [
        { kind: 'append', arrivals: [{ envelope: early, file: 'first' }], hasBounds: true },
        merge,
        { kind: 'append', arrivals: [{ envelope: late, file: 'second' }], hasBounds: true },
        merge,
      ],
      envelopes: [update, gone],
      filesPerStatement: 1,
    };
    const without: Rewrite = (statement) =>
      statement.replace(/"_committed_at" >= (TIMESTAMP '[^']+')/, `"_committed_at" >= $1 + INTERVAL '5' MINUTE`);
    expect((await play(history, asPlanned)).size).toBe(0);
    expect((await play(history, without)).size).toBe(1);
  });
});

describe('the views, run by DuckDB', () => {
  const sourcesAfter = (commit: number) => ({
    state: '"orders"',
    changes: '"orders__changes"',
    unmerged: `(SELECT * FROM "orders__changes" WHERE _commit > ${commit})`,
  });

  it('the live view is what all that arrived comes to, whatever has been merged of it', async () => {
    await fc.assert(
      fc.asyncProperty(anyLakeHistory(SCHEMA), fc.nat(2), async (history, more) => {
        await play(history, asPlanned, async (connection, soFar, mergedUpTo) => {
          // What is merged already may be among the unmerged: the view in Athena takes a day's changes.
          const view = liveView(SCHEMA, sourcesAfter(mergedUpTo - more));
          expect(await rowsOf(connection, `(${view})`)).toEqual(model(soFar));
        });
      }),
      { numRuns: 12 },
    );
  });

  it('without its look-back the live view would bring a deleted row back', async () => {
    const law = fc.asyncProperty(anyLakeHistory(SCHEMA), async (history) => {
      await play(history, asPlanned, async (connection, soFar, mergedUpTo) => {
        const view = liveView(SCHEMA, sourcesAfter(mergedUpTo)).replace(`WHERE "_op" = 'delete'`, 'WHERE false');
        expect(await rowsOf(connection, `(${view})`)).toEqual(model(soFar));
      });
    });
    expect((await fc.check(law, { seed: 7, numRuns: 50, endOnFailure: true })).failed).toBe(true);
  });

  it('the history has every version once, each until the next', async () => {
    await fc.assert(
      fc.asyncProperty(anyLakeHistory(SCHEMA), async (history) => {
        await play(history, asPlanned);
        const rows = await withConnection(duck, async (connection) => {
          const sql = `SELECT _key_hash, _version, word, _valid_from::VARCHAR, _valid_to::VARCHAR FROM (${historyView(SCHEMA, sourcesAfter(0))})`;
          return (await connection.runAndReadAll(`${sql} ORDER BY 1, 2`)).getRows();
        });
        expect(rows).toEqual(versions(arrivalsOf(history)));
      }),
      { numRuns: 12 },
    );
  });

  function versions(arrivals: readonly Arrival[]): (string | null)[][] {
    const all = [
      ...new Map(arrivals.map(({ envelope }) => [`${envelope.keyHash} ${envelope.version}`, envelope])).entries(),
    ];
    const sorted = all.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, envelope]) => envelope);
    const time = (micros: number) => instantText(BigInt(micros)).replace(/\.000000$/, '');
    return sorted.flatMap((one, index) => {
      const next = sorted[index + 1];
      if (one.row === null) return [];
      const until = next?.keyHash === one.keyHash ? time(next.committedAtMicros) : null;
      const { word } = JSON.parse(one.row) as { word: string };
      return [[one.keyHash, one.version, word, time(one.committedAtMicros), until]];
    });
  }
});

import { createMemoryControlStore } from '../../adapters/memory/control-store.ts';
import { createMemoryLog, createMemoryMetrics } from '../../adapters/memory/telemetry.ts';
import type { Change } from '../../core/change.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { ChangelogFile, NewFiles, Watermark } from '../../core/iceberg/new-files.ts';
import { materialize, newestPerKey, outranks } from '../../core/merge.ts';
import type { TableSchema } from '../../core/schema.ts';
import { historyColumns, lakeViewNames, liveColumns } from '../../core/sql/lake-views.ts';
import type { ControlStore } from '../../flows/control-store.ts';
import type { MergePorts } from '../../flows/merge-ports.ts';
import { schemaOf } from '../support/dynamodb.ts';
import type { Fault } from '../support/fault-script.ts';
import { FaultScript } from '../support/fault-script.ts';

interface Commit {
  readonly sequence: number;
  readonly path: string;
  readonly changes: readonly Envelope[];
}

/** A deployed lakehouse of one table, in memory: what Athena, Glue, Step Functions and the control table would do. */
export class MergeWorld {
  readonly metrics = createMemoryMetrics();
  readonly log = createMemoryLog();
  readonly control: ControlStore;
  readonly script: FaultScript;
  readonly started: { readonly table: string; readonly name: string }[] = [];
  readonly evolved: TableSchema[] = [];
  /** The columns of the state, as its last evolution left them. */
  stateSchema: TableSchema = schemaOf({});
  schemas: TableSchema[] = [schemaOf({ word: { kind: 'string' } })];
  readonly views = new Map<string, readonly string[]>();
  nowMillis = 1_790_000_100_000;
  private readonly commits: Commit[] = [];
  private readonly state = new Map<string, Change>();

  /** Faults befall the control table's writes, one a call. */
  constructor(faults: readonly Fault[] = []) {
    const inner = createMemoryControlStore();
    this.script = new FaultScript(faults);
    this.control = {
      ...inner,
      writeProgress: (...all) => this.script.play(() => inner.writeProgress(...all)),
      takeLease: (...all) => this.script.play(() => inner.takeLease(...all)),
      releaseLease: (...all) => this.script.play(() => inner.releaseLease(...all)),
    };
  }

  get ports(): MergePorts {
    return {
      database: 'shop',
      control: this.control,
      registry: {
        load: () => Promise.resolve(this.schemas),
        save: () => Promise.reject(new Error('a merge saves no schema')),
      },
      files: {
        newFiles: (_, since) => Promise.resolve(this.newFiles(since)),
        viewColumns: (view) => Promise.resolve(this.views.get(view) ?? null),
      },
      tables: {
        evolveState: (_, schema) => {
          const isNew = schema.version > this.stateSchema.version || this.evolved.length === 0;
          this.evolved.push(schema);
          this.stateSchema = schema;
          return Promise.resolve(isNew ? 'evolved' : 'unchanged');
        },
      },
      machine: {
        start: (table, name) => {
          if (!this.started.some((one) => one.name === name)) this.started.push({ table, name });
          return Promise.resolve();
        },
      },
      metrics: this.metrics,
      log: this.log,
      now: () => this.nowMillis,
    };
  }

  append(changes: readonly Envelope[]): void {
    const sequence = this.commits.length + 1;
    this.commits.push({ sequence, path: `s3://lake/${sequence}.parquet`, changes });
  }

  get current(): Watermark | null {
    const sequence = this.commits.length;
    return sequence === 0 ? null : { sequence, snapshotId: `74839201748392017${10 + sequence}` };
  }

  /** The views as a registration leaves them. */
  makeViews(schema: TableSchema): void {
    const names = lakeViewNames('orders');
    this.views.set(names.live, liveColumns(schema));
    this.views.set(names.history, historyColumns(schema));
  }

  /** What Athena would do with a statement: it reads it, as far as a merge's plan leaves a choice. */
  run(statement: string): void {
    const view = /^CREATE OR REPLACE VIEW "shop"\."orders_(live|history)"/.exec(statement)?.[1];
    const schema = this.schemas.at(-1) ?? schemaOf({});
    if (view === 'live') this.views.set('orders_live', liveColumns(schema));
    else if (view === 'history') this.views.set('orders_history', historyColumns(schema));
    else this.merge(statement);
  }

  private merge(statement: string): void {
    if (!statement.startsWith('MERGE INTO "shop"."orders" AS t'))
      throw new Error(`no merge: ${statement.slice(0, 60)}`);
    const upTo = Number(/FOR VERSION AS OF 74839201748392017(\d+)/.exec(statement)?.[1]) - 10;
    const visible = this.commits.filter((commit) => commit.sequence <= upTo);
    const named = statement.match(/s3:\/\/lake\/\d+\.parquet/g);
    const taken = visible
      .filter((commit) => named === null || named.includes(commit.path))
      .flatMap((one) => [...one.changes]);
    const deletes = visible.flatMap((commit) => commit.changes.filter((change) => change.operation === 'delete'));
    const lookBack = statement.includes(`WHERE "_op" = 'delete'`) ? deletes : [];
    for (const [keyHash, change] of newestPerKey([...taken, ...lookBack], (one) => one)) {
      if (!outranks(change, this.state.get(keyHash)?.version)) continue;
      if (change.operation === 'delete') this.state.delete(keyHash);
      else this.state.set(keyHash, change);
    }
  }

  /** The state's versions by key, and what they should be. */
  get rows(): ReadonlyMap<string, string> {
    return versions(this.state);
  }

  get expectedRows(): ReadonlyMap<string, string> {
    return versions(materialize(this.commits.flatMap((commit) => commit.changes)));
  }

  private newFiles(since: Watermark | null): NewFiles {
    const upTo = this.current;
    const commits = this.commits.filter((commit) => commit.sequence > (since?.sequence ?? 0));
    const files = commits.map(fileOf);
    const records = commits.reduce((sum, commit) => sum + commit.changes.length, 0);
    return {
      upTo,
      whole: since === null && upTo !== null ? 'first' : null,
      files: files.filter((file) => file.records > 0),
      records,
    };
  }
}

function versions(rows: ReadonlyMap<string, Change>): ReadonlyMap<string, string> {
  return new Map(
    [...rows].map(([key, change]): [string, string] => [key, change.version]).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function fileOf({ path, changes, sequence }: Commit): ChangelogFile {
  const span = (micros: readonly number[]) => ({ from: Math.min(...micros), to: Math.max(...micros) });
  return {
    path,
    records: changes.length,
    sequence,
    operation: null,
    capturedAt: span(changes.map((change) => change.capturedAtMicros)),
    committedAt: span(changes.map((change) => change.committedAtMicros)),
  };
}

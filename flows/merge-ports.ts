import type { NewFiles, Watermark } from '../core/iceberg/new-files.ts';
import type { ControlStore } from './control-store.ts';
import type { LakeTables } from './lake-tables.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { SchemaRegistry } from './ports.ts';

/** Reads what the metadata of a deployed lake's changelogs says. It reads no rows and no data file, and changes nothing. */
export interface LakeFiles {
  /** What the changelog of a table holds that was not merged up to the watermark (null: nothing was). */
  newFiles(table: string, since: Watermark | null): Promise<NewFiles>;
  /** The names of a view's columns, in order; null where there is no such view. */
  viewColumns(view: string): Promise<readonly string[] | null>;
}

/** Starts merges. A name that was used already starts nothing: asking twice is harmless. */
export interface MergeMachine {
  start(table: string, name: string): Promise<void>;
}

/** What the merge function works with. */
export interface MergePorts {
  readonly database: string;
  readonly control: ControlStore;
  readonly registry: SchemaRegistry;
  readonly files: LakeFiles;
  readonly tables: LakeTables;
  readonly machine: MergeMachine;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

import type { KeyAttributes, TableSchema } from '../core/schema.ts';
import type { LakeTables } from './lake-tables.ts';

/** The Iceberg tables of a mirrored table in a catalog: its changelog and its state. Any call may be repeated, and finds its work done. */
export interface LakeCatalog extends LakeTables {
  /** Makes both tables where they are missing, and brings the state's columns up to the schema. Drops and narrows nothing. */
  ensure(table: string, schema: TableSchema): Promise<void>;
  /** The state's columns as the catalog has them, in its order; null where the table is missing. */
  stateColumns(table: string): Promise<readonly LakeColumn[] | null>;
}

export interface LakeColumn {
  /** The catalog's field id, which may differ from the schema's. */
  readonly id: number;
  readonly name: string;
  /** Iceberg's type as text without blanks, `decimal(38,9)`; JSON text for a nested one. */
  readonly type: string;
}

/** Has a table kept up: compaction, expiry of snapshots, removal of orphans. A repetition sets the same again. */
export interface LakeUpkeep {
  keepUp(table: string): Promise<void>;
}

/** Runs a statement on the lake to its end. One whose reply is lost may run twice: give it only statements that bear that. */
export interface LakeStatements {
  run(sql: string): Promise<void>;
}

/** Asks a source for a table's key, by the table's ARN. */
export interface SourceKeys {
  keyOf(sourceArn: string): Promise<KeyAttributes>;
}

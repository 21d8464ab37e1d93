import type { TableSchema } from '../core/schema.ts';

/** The tables of a deployed lakehouse, as its catalog has them. */
export interface LakeTables {
  /**
   * Brings the columns of a state table up to a schema: adds what it lacks, and changes nothing else. Says whether
   * anything was added. Repeated after a lost reply it answers `unchanged`.
   */
  evolveState(table: string, schema: TableSchema): Promise<'unchanged' | 'evolved'>;
}

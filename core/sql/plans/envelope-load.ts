import { ENVELOPE_FIELDS } from '../../envelope.ts';
import type { TableSchema } from '../../schema.ts';
import type { Dialect } from '../dialect.ts';
import { checkBatch, quoteName, quoteText, utf8Bytes } from '../dialect.ts';
import { jsonbField, postgres, timestampOfEpoch } from '../dialects/postgres.ts';
import { redshift, superField, timestampOfMicros } from '../dialects/redshift.ts';
import type { WarehouseTable } from '../warehouse-table.ts';
import { baseColumns, namesOf } from '../warehouse-table.ts';
import { forgetLoads, lockLedger, recordLoad } from './ledger.ts';

/**
 * What an engine says its own way in a load of staged envelopes. Redshift's is what runs in an account; PostgreSQL's is the
 * same plan where there is none, with a relation in the place of S3.
 */
export interface EnvelopeDialect {
  readonly dialect: Dialect;
  /** What the transaction is set to. */
  readonly settings: readonly string[];
  /** Types of the staging table's columns, in the order of `ENVELOPE_FIELDS`. */
  readonly stagedTypes: readonly string[];
  /** Stands between a temporary table's columns (or before its `AS`), with its leading space. */
  readonly temporaryOptions: { readonly created: string; readonly selected: string };
  /** Fills the staging table from the objects of a manifest. One that is missing, or a line that cannot be read, is an error. */
  fill(staged: string, manifestUrl: string): string;
  /** A column's value out of the staged row. */
  field: typeof superField;
  timestampOfMicros(micros: string): string;
  /** The row's `_rescued`. */
  rescued(document: string): string;
}

/** One table's part of a load. */
export interface TableLoad {
  readonly table: WarehouseTable;
  readonly schema: TableSchema;
  /** `s3://…`: a manifest whose entries all have `"mandatory": true`. Its objects are gzipped staging lines. */
  readonly manifestUrl: string;
  /** What the ledger's row names the load by: its number, and a number that no other load of this number has. */
  readonly mark: { readonly sequence: number; readonly snapshotId: number };
}

/** A load: the statements of one transaction, and for each the table that it is for (null: for all of them). */
export interface LoadBatch {
  readonly statements: readonly string[];
  readonly tables: readonly (string | null)[];
}

/**
 * A load of one table or of several, for one transaction; repeated, it changes nothing. The ledger is locked first: of two
 * loads that were submitted side by side, the second sees what the first has done, since an engine takes a transaction's
 * snapshot after that (Redshift enforces no key, so they could both insert one). Readers of the tables do not wait.
 * Throws GlasshouseError `config` where it passes the engine's limits: `loadLimits` says how much fits.
 */
export function planEnvelopeLoad(loads: readonly TableLoad[], sql: EnvelopeDialect): LoadBatch {
  const [first] = loads;
  if (first === undefined) return { statements: [], tables: [] };
  const { mirror } = first.table;
  const opening = [lockLedger(mirror, sql.dialect), ...sql.settings];
  const closing = [forgetLoads(mirror, first.mark.sequence, sql.dialect)];
  const parts = loads.map((load) => ({ name: load.table.table, statements: planTable(load, sql) }));
  const statements = [...opening, ...parts.flatMap((part) => part.statements), ...closing];
  return {
    statements: checkBatch(statements, sql.dialect, parts.map((part) => part.name).join(', ')),
    tables: [
      ...opening.map(() => null),
      ...parts.flatMap(({ name, statements }) => statements.map(() => name)),
      ...closing.map(() => null),
    ],
  };
}

/** How much of a transaction a table's part takes, in bytes. */
export function loadWeight(load: TableLoad, sql: EnvelopeDialect): number {
  return planTable(load, sql).reduce((sum, statement) => sum + utf8Bytes(statement), 0);
}

/** What the parts of all tables in one load may come to. Infinite where the engine has no limit. */
export function loadLimits(mirror: string, sql: EnvelopeDialect): { readonly tables: number; readonly bytes: number } {
  const limits = sql.dialect.batchLimits;
  if (limits === null) return { tables: Infinity, bytes: Infinity };
  const ours = [lockLedger(mirror, sql.dialect), ...sql.settings, forgetLoads(mirror, LONGEST_SEQUENCE, sql.dialect)];
  return {
    tables: Math.floor((limits.maxStatements - ours.length) / STATEMENTS_A_TABLE),
    bytes: limits.maxBytes - ours.reduce((sum, statement) => sum + utf8Bytes(statement), 0),
  };
}

const STATEMENTS_A_TABLE = 6;
const LONGEST_SEQUENCE = Number.MAX_SAFE_INTEGER;

/**
 * The names of the staging tables have the table's in them, since one transaction may load several tables. The newest of
 * each key is kept before it is compared with what is held, so that a key is never written twice.
 */
function planTable({ table, schema, manifestUrl, mark }: TableLoad, sql: EnvelopeDialect): readonly string[] {
  const { dialect } = sql;
  const { base } = namesOf(table, dialect);
  const staged = quoteName(`${table.table}__staged`, dialect);
  const fresh = quoteName(`${table.table}__fresh`, dialect);
  const columns = baseColumns(schema, dialect).map(({ name }) => quoteName(name, dialect));
  const rows = `(SELECT COUNT(*) FROM ${staged})`;
  const applied = `(SELECT COUNT(*) FROM ${fresh})`;
  return [
    `CREATE TEMP TABLE ${staged} (\n${stagedColumns(sql)}\n)${sql.temporaryOptions.created}`,
    sql.fill(staged, manifestUrl),
    `CREATE TEMP TABLE ${fresh}${sql.temporaryOptions.selected} AS\nSELECT n.* FROM (\n` +
      `  SELECT *, ROW_NUMBER() OVER (PARTITION BY "_key_hash" ORDER BY "_version" DESC) AS "_rank" FROM ${staged}\n) AS n\n` +
      `LEFT JOIN ${base} AS held ON held."_key_hash" = n."_key_hash"\n` +
      `WHERE n."_rank" = 1 AND (held."_key_hash" IS NULL OR held."_version" < n."_version")`,
    `DELETE FROM ${base} USING ${fresh} AS f WHERE ${base}."_key_hash" = f."_key_hash"`,
    `INSERT INTO ${base} (${columns.join(', ')})\nSELECT\n${selected(schema, sql)}\nFROM ${fresh} AS f`,
    recordLoad(
      table,
      {
        sequence: String(mark.sequence),
        snapshotId: String(mark.snapshotId),
        rows,
        applied,
        stale: `${rows} - ${applied}`,
        newestCommittedAt: `(SELECT MAX("_committed_at") FROM ${staged})`,
      },
      dialect,
    ),
  ];
}

function stagedColumns({ stagedTypes, dialect }: EnvelopeDialect): string {
  return ENVELOPE_FIELDS.map(({ name }, index) => `  ${quoteName(name, dialect)} ${stagedTypes[index] ?? ''}`).join(
    ',\n',
  );
}

/** The base table's columns out of a staged envelope, in order. */
function selected(schema: TableSchema, sql: EnvelopeDialect): string {
  return [
    'f."_key_hash"',
    'f."_key"',
    ...schema.columns.map((column) => sql.field('f."_row"', column)),
    'f."_version"',
    sql.timestampOfMicros('f."_committed_at"'),
    sql.rescued('f."_row"'),
    `f."_op" = 'delete'`,
  ]
    .map((expression) => `  ${expression}`)
    .join(',\n');
}

/** Loads on Redshift. The role is the one that COPY reads the staging bucket with. */
export function redshiftEnvelopes(copyRoleArn: string): EnvelopeDialect {
  const { types } = redshift;
  return {
    dialect: redshift,
    // By default a cast of SUPER that fails gives NULL: a value would be lost in silence.
    settings: ['SET cast_super_null_on_error TO OFF'],
    stagedTypes: [
      types.key,
      types.keyHash,
      types.version,
      'VARCHAR(16)',
      'BIGINT',
      'BIGINT',
      'INTEGER',
      'SUPER',
      'VARCHAR(16)',
    ],
    temporaryOptions: {
      created: ' DISTKEY ("_key_hash") SORTKEY ("_key_hash")',
      selected: ' DISTKEY ("_key_hash")',
    },
    fill: (staged, manifestUrl) =>
      `COPY ${staged} FROM ${quoteText(manifestUrl, redshift)}\nIAM_ROLE ${quoteText(copyRoleArn, redshift)}\nFORMAT AS JSON 'auto' GZIP MANIFEST`,
    field: superField,
    timestampOfMicros,
    rescued: (document) => `${document}."_rescued"`,
  };
}

/**
 * Loads on PostgreSQL. `lines` is a relation, quoted, that has the lines of the staged objects: `manifest` (its URL) and
 * `line`, both text.
 */
export function postgresEnvelopes(lines: string): EnvelopeDialect {
  const { types } = postgres;
  const stagedTypes = [types.key, types.keyHash, types.version, 'text', 'bigint', 'bigint', 'integer', 'jsonb', 'text'];
  const fields = ENVELOPE_FIELDS.map(({ name }, index) => {
    const literal = quoteText(name, postgres);
    // The type of a column may come with a collation, which a cast does not take.
    const type = (stagedTypes[index] ?? '').replace(' COLLATE "C"', '');
    return type === 'jsonb' ? `NULLIF(j->${literal}, 'null')` : `CAST(j->>${literal} AS ${type})`;
  });
  return {
    dialect: postgres,
    settings: [],
    stagedTypes,
    temporaryOptions: { created: ' ON COMMIT DROP', selected: ' ON COMMIT DROP' },
    fill: (staged, manifestUrl) =>
      `INSERT INTO ${staged}\nSELECT\n${fields.map((field) => `  ${field}`).join(',\n')}\n` +
      `FROM (SELECT CAST("line" AS jsonb) AS j FROM ${lines} WHERE "manifest" = ${quoteText(manifestUrl, postgres)}) AS l`,
    field: jsonbField,
    timestampOfMicros: timestampOfEpoch,
    rescued: (document) => `NULLIF(${document}->'_rescued', 'null')`,
  };
}

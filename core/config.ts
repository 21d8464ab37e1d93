import { GlasshouseError } from './errors.ts';
import type { ColumnTypeText } from './column.ts';
import type { DeclaredColumns } from './schema.ts';
import type { AwsConfig, MirrorAws, MirrorTableAws, TableAwsConfig } from './config/aws-config.ts';
import { mirrorShape } from './config/mirror-shape.ts';
import { mistakesOf } from './config/mistakes.ts';
import { clashesOf } from './config/name-clashes.ts';

/** What `glasshouse.config.ts` exports by default: one mirror, as a user writes it. Whatever is left out has a default. */
export interface MirrorConfig {
  /** lower_snake, at most 40 characters. The warehouse keeps its base tables in the schema `<name>_base`. */
  readonly name: string;
  /** Where the tables are. Absent: DynamoDB on AWS, in the region of the environment. */
  readonly source?: SourceConfig;
  /** The mirrored tables, by the name that the mirror has for each: lower_snake, at most 40 characters. */
  readonly tables: Readonly<Record<string, TableConfig>>;
  /** Where the rows go. At least one of the two. */
  readonly targets: TargetsConfig;
  readonly freshness?: FreshnessConfig;
  /** How the mirror is deployed by `cdk deploy`. On one machine it says nothing. */
  readonly aws?: AwsConfig;
}

export interface SourceConfig {
  /** `embedded` starts a DynamoDB on this machine; a URL names another one; absent is AWS. */
  readonly endpoint?: string;
  /** The port of the embedded DynamoDB on 127.0.0.1. Default: 8000. */
  readonly port?: number;
  /** The AWS region. Default: `us-east-1` for the embedded DynamoDB, the environment's for others. */
  readonly region?: string;
}

export interface TableConfig {
  /** The table's name in DynamoDB. Default: the mirror's name for it. */
  readonly from?: string;
  /** The key attributes in key order (hash, then range) with their types. Needed only where Glasshouse is to create the table. */
  readonly key?: Readonly<Record<string, KeyTypeText>>;
  /** The attribute that expires items (epoch seconds). Set on a table that Glasshouse creates. */
  readonly ttl?: string;
  /** Column types that are declared rather than inferred, by the attribute's name in DynamoDB. */
  readonly columns?: Readonly<Record<string, ColumnTypeText>>;
  /** Attributes beyond so many columns go to `_rescued`. Default: 500. */
  readonly maxColumns?: number;
  /** Where the table is on AWS; needed by `cdk deploy`, and by nothing on one machine. */
  readonly aws?: TableAwsConfig;
}

export type KeyTypeText = 'S' | 'N' | 'B';

export interface TargetsConfig {
  /** Iceberg tables. Default: false. */
  readonly lakehouse?: boolean;
  /** `true` is the PostgreSQL that Glasshouse brings. Default: false. */
  readonly warehouse?: boolean | WarehouseConfig;
}

export interface WarehouseConfig {
  /** A PostgreSQL 16 or newer, `postgres://user:password@host:port/database`. Default: the one that Glasshouse brings. */
  readonly url?: string;
  /** The schema of the views that users query. Default: `public`. */
  readonly schema?: string;
}

export interface FreshnessConfig {
  /** How old the newest change that a reader sees may be, in seconds (1 to 86,400). Default: 60. */
  readonly objectiveSeconds?: number;
}

/** A valid configuration with every default filled in. */
export interface Mirror {
  readonly name: string;
  readonly source: MirrorSource;
  /** In the order of the configuration. */
  readonly tables: readonly MirrorTable[];
  readonly targets: { readonly lakehouse: boolean; readonly warehouse: MirrorWarehouse | null };
  readonly freshness: { readonly objectiveSeconds: number };
  readonly aws: MirrorAws;
}

export type MirrorSource =
  | { readonly kind: 'embedded'; readonly port: number; readonly region: string }
  | { readonly kind: 'endpoint'; readonly url: string; readonly region: string | null }
  | { readonly kind: 'aws'; readonly region: string | null };

export interface MirrorTable {
  /** The mirror's name of the table. */
  readonly name: string;
  /** The DynamoDB table. */
  readonly from: string;
  /** In key order; null where the configuration does not say. */
  readonly key: readonly { readonly attribute: string; readonly type: KeyTypeText }[] | null;
  readonly ttl: string | null;
  readonly columns: DeclaredColumns;
  readonly maxColumns: number;
  readonly aws: MirrorTableAws | null;
}

export interface MirrorWarehouse {
  /** Null: the PostgreSQL that Glasshouse brings. */
  readonly url: string | null;
  readonly schema: string;
}

/** Gives a configuration its type, for completion in an editor. It changes and checks nothing: `validateMirror` does, when it is loaded. */
export function defineMirror(config: MirrorConfig): MirrorConfig {
  return config;
}

/**
 * Checks a configuration and fills in its defaults.
 * @throws GlasshouseError `config` that lists every mistake at once, each with its path, its value and the remedy.
 */
export function validateMirror(raw: unknown): Mirror {
  const parsed = mirrorShape.safeParse(raw);
  const mistakes = parsed.success ? clashesOf(parsed.data) : mistakesOf(parsed.error.issues, raw);
  if (parsed.success && mistakes.length === 0) return parsed.data;
  const title =
    mistakes.length === 1 ? 'The configuration has a mistake' : `The configuration has ${mistakes.length} mistakes`;
  throw new GlasshouseError('config', [`${title}:`, ...mistakes.map((mistake) => `  ${mistake}`)].join('\n'));
}

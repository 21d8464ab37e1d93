/**
 * What infrastructure gives to code: the environment variables of each function. `lib` must write every one of them and
 * `lambdas` may read only these; the compiler compares.
 */
export const ENVIRONMENT = {
  /** One function a table, behind its stream. */
  capture: [
    'MIRROR',
    'TABLE',
    /** The DynamoDB table's name. */
    'SOURCE_TABLE',
    'MAX_COLUMNS',
    'CONTROL_TABLE',
    /** Takes quarantine and values that are too large for Firehose. */
    'CONTROL_BUCKET',
    /** Firehose into the changelog; empty where there is no lakehouse. */
    'LAKEHOUSE_STREAM',
    /** Firehose into staging; empty where there is no warehouse. */
    'WAREHOUSE_STREAM',
  ],
  /** The custom resource that registers schemas and makes the lake's tables. */
  registrar: [
    'MIRROR',
    'CONTROL_TABLE',
    /** Empty where there is no lakehouse, as are the following. */
    'DATABASE',
    'LAKE_BUCKET',
    'WORKGROUP',
    'OPTIMIZER_ROLE_ARN',
    'SNAPSHOT_DAYS',
  ],
  /** Looks for tables with something new and starts their merges; begins and finishes each of them. */
  merge: ['MIRROR', 'CONTROL_TABLE', 'DATABASE', 'LAKE_BUCKET', 'WORKGROUP', 'MERGE_MACHINE_NAME', 'OBJECTIVE_SECONDS'],
  load: [
    'MIRROR',
    'CONTROL_TABLE',
    'STAGING_BUCKET',
    'QUEUE_URL',
    'COPY_ROLE_ARN',
    /** `RedshiftAddress` as JSON. */
    'REDSHIFT',
    'VIEW_SCHEMA',
    'OBJECTIVE_SECONDS',
    'DAILY_BUDGET_USD',
  ],
  redrive: [
    'MIRROR',
    'CONTROL_TABLE',
    'CONTROL_BUCKET',
    /** Empty where there is no lakehouse. */
    'LAKE_BUCKET',
    /** Empty where there is no warehouse. */
    'STAGING_BUCKET',
    'QUEUE_URL',
    'DEAD_LETTER_URL',
  ],
} as const;

export type FunctionRole = keyof typeof ENVIRONMENT;
export const FUNCTION_ROLES = Object.keys(ENVIRONMENT) as readonly FunctionRole[];

/** The environment of a function: every variable that its role reads, and no other. */
export type Environment<Role extends FunctionRole> = Readonly<Record<(typeof ENVIRONMENT)[Role][number], string>>;

/** Where a Redshift is, as the Data API names it. */
export interface RedshiftAddress {
  /** Exactly one of the two is there. */
  readonly workgroup: string | null;
  readonly cluster: string | null;
  readonly database: string;
  /** Who loads: a secret, or else a database user (clusters), or else the function's own role. */
  readonly secretArn: string | null;
  readonly dbUser: string | null;
  /** Base capacity in RPU of a serverless workgroup, for the cost of a wake-up; null for a cluster, which is always awake. */
  readonly baseCapacity: number | null;
}

/** Where a deployed mirror is: the value of its SSM parameter, from which the command line finds the rest. */
export interface Deployment {
  readonly mirror: string;
  readonly region: string;
  /** The version of Glasshouse that deployed it. */
  readonly version: string;
  readonly controlTable: string;
  readonly controlBucket: string;
  readonly redriveFunction: string;
  readonly dashboard: string;
  readonly lakehouse: {
    readonly bucket: string;
    readonly database: string;
    readonly workgroup: string;
    readonly mergeFunction: string;
  } | null;
  readonly warehouse: {
    readonly bucket: string;
    readonly redshift: RedshiftAddress;
    readonly viewSchema: string;
    readonly loadFunction: string;
    readonly queueUrl: string;
    readonly deadLetterUrl: string;
  } | null;
}

/** The input of the registrar's custom resource: one table. Everything arrives as text, as CloudFormation sends it. */
export interface RegistrarProperties {
  /** `schema` registers the first schema; `lake` makes the lake's tables and views, and needs the schema. */
  readonly part: 'schema' | 'lake';
  readonly table: string;
  /** The DynamoDB table's ARN: its key is asked for there, where `key` is empty. */
  readonly sourceArn: string;
  /** JSON of `[{ attribute, type }]`, in key order; empty where the configuration does not say. */
  readonly key: string;
  /** JSON of declared column types by attribute, as the configuration has them. */
  readonly columns: string;
  readonly maxColumns: string;
}

/** The input of the load function: the schedule's. */
export interface LoadInput {
  /** The mirror's tables, whose freshness is measured even before any of them was loaded. */
  readonly tables?: readonly string[];
}

/** The input of the merge function, by what calls it. */
export type MergeInput =
  /** The schedule: which tables have something new? */
  | { readonly step: 'look'; readonly tables: readonly string[] }
  /** The state machine's first state. `execution` is the execution's ARN: the owner of the lease. */
  | { readonly step: 'begin'; readonly table: string; readonly execution: string }
  | { readonly step: 'finish'; readonly table: string; readonly execution: string; readonly plan: MergePlanNote }
  | { readonly step: 'fail'; readonly table: string; readonly execution: string; readonly error: string };

/** What `begin` hands to the state machine: the statements that it runs one after the other, and a note for `finish`. */
export interface MergeBegun {
  /** Empty where another merge has the lease, or where nothing is new any more. */
  readonly statements: readonly string[];
  readonly plan: MergePlanNote;
}

export interface MergePlanNote {
  /** Null where nothing is merged. */
  readonly upTo: { readonly sequence: number; readonly snapshotId: string } | null;
  readonly files: number;
  readonly records: number;
  /** Epoch microseconds of the newest change's commit; null where it is not known. */
  readonly newestCommittedAtMicros: number | null;
  /** Epoch milliseconds when the changelog was looked at: up to then the merge takes in all that was in it. */
  readonly plannedAtMillis: number;
}

/** The part of a configuration that says how a mirror is deployed to AWS, as a user writes it. Whatever is left out has a default. */
export interface AwsConfig {
  /** The account's 12 digits. Default: that of the credentials. */
  readonly account?: string;
  /** Where the mirror is deployed. Default: `source.region`, then the environment's. */
  readonly region?: string;
  /** What becomes of what holds data (buckets, tables, keys, a new Redshift) when a stack is destroyed. Default: `retain`. */
  readonly onDestroy?: OnDestroy;
  /** Gets the alarms by mail. Default: none; the topic is there all the same. */
  readonly alarmEmail?: string;
  /** How long logs are kept, in days, one of CloudWatch's values. Default: 30. */
  readonly logRetentionDays?: number;
  readonly capture?: CaptureConfig;
  readonly lakehouse?: LakehouseConfig;
  /** The Redshift of `targets.warehouse`. Default: a new Redshift Serverless. */
  readonly redshift?: RedshiftConfig;
}

export type OnDestroy = 'retain' | 'delete';

export interface CaptureConfig {
  /** Batches of one shard that are captured at once, 1 to 10; the order of each key is kept. Default: 1. */
  readonly parallelization?: number;
  /** The most stream records of one invocation, 1 to 10,000. Default: 10,000. */
  readonly batchSize?: number;
  /** How long a batch may wait to be filled, in seconds, 0 to 300 (at least 1 for batches over 10). Default: 1. */
  readonly windowSeconds?: number;
  /** Memory of the function, 256 to 10,240. Default: 1,769, which is one core. */
  readonly memoryMb?: number;
}

export interface LakehouseConfig {
  /** The Glue database. Default: the mirror's name. */
  readonly database?: string;
  /** How often new changes are looked for and merged, in whole minutes. Default: 1. A look that finds nothing runs no query. */
  readonly mergeEveryMinutes?: number;
  /** How long Firehose may gather changes, in seconds, 0 to 900. Default: 15. */
  readonly bufferSeconds?: number;
  /** The most that one Athena query may scan, in gigabytes. Default: 100. */
  readonly queryLimitGb?: number;
  /** Whether Lake Formation governs the catalog: then the grants that the roles need are made. Default: false. */
  readonly lakeFormation?: boolean;
  /** How long old snapshots of the tables are kept, in days. Default: 5. */
  readonly snapshotDays?: number;
}

/** Exactly one of `serverless`, `cluster` and `newCluster` may be given; with none of them a new Redshift Serverless is made. */
export interface RedshiftConfig {
  /** An existing workgroup of Redshift Serverless. */
  readonly serverless?: { readonly workgroup: string; readonly copyRoleArn: string; readonly secretArn?: string };
  /** An existing provisioned cluster. One of `dbUser` (temporary credentials) and `secretArn` says who loads. */
  readonly cluster?: {
    readonly identifier: string;
    readonly copyRoleArn: string;
    readonly dbUser?: string;
    readonly secretArn?: string;
  };
  /** A new provisioned cluster. */
  readonly newCluster?: { readonly nodeType: string; readonly nodes: number };
  /**
   * Base capacity in RPU (4 to 1,024): of the new Redshift Serverless (default 8), or what an existing workgroup has (default
   * 128, as AWS's own), from which the cost of a wake-up follows.
   */
  readonly baseCapacity?: number;
  /** The database. Default: `glasshouse` for a new Redshift, `dev` for an existing one. */
  readonly database?: string;
  /** Subnets and security groups of a new Redshift. Default: those of the account's default VPC. */
  readonly subnetIds?: readonly string[];
  readonly securityGroupIds?: readonly string[];
  /** What waking Redshift Serverless for loads may cost a day, in US dollars. Default: 10. The cadence of the loads follows from it and from the freshness objective. */
  readonly dailyBudgetUsd?: number;
  /** How long Firehose may gather staged changes, in seconds, 0 to 900. Default: 60. */
  readonly bufferSeconds?: number;
}

/** Where one table is on AWS: an existing one by its ARNs, or a new one. */
export type TableAwsConfig =
  | {
      /** `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`; of another account it works where that table's policy allows it. */
      readonly arn: string;
      /** `arn:…:table/NAME/stream/LABEL`: the newest stream, with new and old images. */
      readonly streamArn: string;
      /** The customer's key that encrypts the table, if any. */
      readonly kmsKeyArn?: string;
    }
  | {
      /** Makes the table: on demand, with its stream and point-in-time recovery. Needs `key`. */
      readonly create: true;
    };

/** `AwsConfig` with every default filled in. */
export interface MirrorAws {
  readonly account: string | null;
  readonly region: string | null;
  readonly onDestroy: OnDestroy;
  readonly alarmEmail: string | null;
  readonly logRetentionDays: number;
  readonly capture: Required<CaptureConfig>;
  readonly lakehouse: Required<LakehouseConfig>;
  readonly redshift: MirrorRedshift;
}

export interface MirrorRedshift {
  readonly where: RedshiftPlace;
  readonly database: string;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly dailyBudgetUsd: number;
  readonly bufferSeconds: number;
}

export type RedshiftPlace =
  | { readonly kind: 'new-serverless'; readonly baseCapacity: number }
  | {
      readonly kind: 'serverless';
      readonly workgroup: string;
      readonly copyRoleArn: string;
      readonly secretArn: string | null;
      readonly baseCapacity: number;
    }
  | { readonly kind: 'new-cluster'; readonly nodeType: string; readonly nodes: number }
  | {
      readonly kind: 'cluster';
      readonly identifier: string;
      readonly copyRoleArn: string;
      readonly dbUser: string | null;
      readonly secretArn: string | null;
    };

/** Where one table is on AWS, checked. */
export type MirrorTableAws =
  | { readonly kind: 'existing'; readonly arn: string; readonly streamArn: string; readonly kmsKeyArn: string | null }
  | { readonly kind: 'new' };

import { createHash } from 'node:crypto';

/** The names of what a deployed mirror is made of, where something else must know them: they follow from the mirror's and the table's name. */

/** The SSM parameter that holds the `Deployment` of a mirror as JSON: where the command line begins. */
export function deploymentParameter(mirror: string): string {
  return `/glasshouse/${mirror}/deployment`;
}

/** The Firehose stream that takes a table's changes to a target. At most 64 characters. */
export function deliveryStreamName(mirror: string, table: string, target: 'lakehouse' | 'warehouse'): string {
  return shortened(`glasshouse-${mirror}-${table}-${target}`, 64);
}

/** The function that captures a table. At most 64 characters. */
export function captureFunctionName(mirror: string, table: string): string {
  return shortened(`glasshouse-${mirror}-${table}-capture`, 64);
}

/** A function of the whole mirror. At most 64 characters. There are two registrars: of the schemas, and of the lake's tables. */
export function functionName(
  mirror: string,
  role: 'merge' | 'load' | 'redrive' | 'registrar' | 'lake-registrar',
): string {
  return shortened(`glasshouse-${mirror}-${role}`, 64);
}

/** The state machine that merges one table. At most 80 characters. */
export function mergeMachineName(mirror: string): string {
  return shortened(`glasshouse-${mirror}-merge`, 80);
}

/** The Athena workgroup of a mirror. */
export function workgroupName(mirror: string): string {
  return `glasshouse-${mirror}`;
}

/** The new Redshift of a mirror: its namespace and workgroup, or its cluster. Redshift takes no underscores. */
export function redshiftName(mirror: string): string {
  return `glasshouse-${mirror.replaceAll('_', '-')}`;
}

export function dashboardName(mirror: string): string {
  return `glasshouse-${mirror}`;
}

/** Where things lie in a mirror's buckets. Every prefix ends with a slash. */
export const PREFIXES = {
  /** In the control bucket: records that were set aside, `quarantine/<table>/…`. */
  quarantine: 'quarantine/',
  /** In the control bucket: values that were too large for a Firehose record, `oversized/<table>/<sha-256>`. */
  oversized: 'oversized/',
  /** In the control bucket: batches that Lambda gave up on, as its event source mapping writes them. */
  failedBatches: 'aws/lambda/',
  /** In the lake's bucket: one folder a table, `tables/<name>/`. */
  tables: 'tables/',
  /** In the lake's bucket: what Firehose could not deliver, `errors/<table>/…`. */
  lakeErrors: 'errors/',
  /** In the lake's bucket. */
  queryResults: 'athena-results/',
  /** In the staging bucket: gzipped lines, `staged/<table>/…`. */
  staged: 'staged/',
  /** In the staging bucket: what Firehose could not deliver, `errors/<table>/…`. */
  stagingErrors: 'errors/',
  /** In the staging bucket: one manifest a load and table, `manifests/<table>/<load>.json`. */
  manifests: 'manifests/',
  /** In any of them: what `redrive` has sent through again, under its old key. */
  redriven: 'redriven/',
} as const;

const HASH_DIGITS = 8;

function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  return `${name.slice(0, longest - HASH_DIGITS - 1)}-${hash}`;
}

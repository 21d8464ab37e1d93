import { DescribeStatementCommand, ExecuteStatementCommand } from '@aws-sdk/client-redshift-data';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedshiftPlace } from '../../core/config/aws-config.ts';
import type { Mirror } from '../../core/config.ts';
import type { Clients } from '../clients.ts';
import type { Check, Finding } from './check.ts';
import { awsCommand, check, ok, unknown, wrong } from './check.ts';

type Existing = Extract<RedshiftPlace, { kind: 'serverless' | 'cluster' }>;

/** What is to be looked at where the mirror has a warehouse. An existing one is woken by it. */
export async function warehouseChecks(mirror: Mirror, clients: Clients, signal: AbortSignal): Promise<Check[]> {
  const place = mirror.aws.redshift.where;
  if (mirror.targets.warehouse === null) return [];
  if (place.kind === 'new-serverless' || place.kind === 'new-cluster')
    return [await check('warehouse', 'Redshift', () => Promise.resolve(ok('will be made')))];
  return [
    await check('warehouse', 'Redshift', () => reachFinding(mirror, place, clients, signal)),
    await check('warehouse', 'role that copies', () => Promise.resolve(roleFinding(place, clients.region))),
  ];
}

const ASK_AGAIN_MS = 1_000;
const MOST_ASKS = 90;

async function reachFinding(mirror: Mirror, place: Existing, clients: Clients, signal: AbortSignal): Promise<Finding> {
  const { database } = mirror.aws.redshift;
  const name = place.kind === 'serverless' ? `the workgroup ${place.workgroup}` : `the cluster ${place.identifier}`;
  const remedy = `Check the name, the database ${database} and who loads (secretArn, dbUser) in aws.redshift, and that it is not paused.`;
  let id: string | undefined;
  try {
    const target =
      place.kind === 'serverless'
        ? { WorkgroupName: place.workgroup }
        : { ClusterIdentifier: place.identifier, DbUser: place.dbUser ?? undefined };
    const command = new ExecuteStatementCommand({
      ...target,
      Database: database,
      SecretArn: place.secretArn ?? undefined,
      Sql: 'SELECT 1',
    });
    id = (await clients.redshiftData().send(command)).Id;
  } catch (thrown) {
    if (thrown instanceof Error && /^(ValidationException|ResourceNotFoundException)$/.test(thrown.name))
      return wrong(`${name} cannot be reached: ${thrown.message}`, remedy);
    throw thrown;
  }
  for (let asked = 0; asked < MOST_ASKS; asked++) {
    const { Status: status, Error: error } = await clients
      .redshiftData()
      .send(new DescribeStatementCommand({ Id: id }));
    if (status === 'FINISHED') return ok(`${name} answers, database ${database}`);
    if (status === 'FAILED' || status === 'ABORTED') return wrong(`${name} refuses: ${error ?? status}`, remedy);
    await delay(ASK_AGAIN_MS, undefined, { signal });
  }
  return unknown(`${name} has not answered within ${(MOST_ASKS * ASK_AGAIN_MS) / 1000} s`, remedy);
}

/** The API that says which roles a Redshift has is not the Data API's, so the user is told how to look. */
function roleFinding(place: Existing, region: string | null): Finding {
  const look =
    place.kind === 'serverless'
      ? `redshift-serverless get-workgroup --workgroup-name ${place.workgroup} --query workgroup.namespaceName\nthen: ${awsCommand('redshift-serverless get-namespace --namespace-name NAME --query namespace.iamRoles', region)}`
      : `redshift describe-clusters --cluster-identifier ${place.identifier} --query 'Clusters[0].IamRoles'`;
  return unknown(`not looked at: ${place.copyRoleArn}`, `See that it is associated. Run: ${awsCommand(look, region)}`);
}

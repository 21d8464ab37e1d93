import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { ListServiceQuotasCommand } from '@aws-sdk/client-service-quotas';
import { ListDeliveryStreamsCommand } from '@aws-sdk/client-firehose';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { Mirror } from '../../core/config.ts';
import type { Clients } from '../clients.ts';
import type { Check, Finding } from './check.ts';
import { awsCommand, check, ok, unknown, warning, wrong } from './check.ts';

/** Who asks; null where the credentials did not work. */
export interface Caller {
  readonly account: string;
  readonly arn: string;
}

/** Whether there are credentials, and for the right account. */
export async function checkCredentials(
  mirror: Mirror,
  clients: Clients,
): Promise<{ readonly check: Check; readonly caller: Caller | null }> {
  const callers: Caller[] = [];
  const done = await check('account', 'credentials', async () => {
    const { Account: account = '', Arn: arn = '' } = await clients.sts().send(new GetCallerIdentityCommand({}));
    callers.push({ account, arn });
    const wanted = mirror.aws.account;
    if (wanted !== null && wanted !== account)
      return wrong(
        `${arn}, of the account ${account}`,
        `aws.account is ${wanted}: use credentials of that account (AWS_PROFILE), or change the configuration.`,
      );
    return ok(arn);
  });
  const [caller = null] = callers;
  if (caller !== null) return { check: done, caller };
  const remedy =
    'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` tests them.';
  return { check: { ...done, verdict: 'wrong', remedy }, caller };
}

export async function accountChecks(mirror: Mirror, clients: Clients, caller: Caller): Promise<Check[]> {
  return Promise.all([
    check('account', 'region', () => Promise.resolve(regionFinding(mirror, clients.region))),
    check('account', 'CDK bootstrap', () => bootstrapFinding(clients, caller)),
    check('account', 'Lambda concurrency', () => concurrencyFinding(mirror, clients)),
    check('account', 'Firehose streams', () => streamsFinding(mirror, clients)),
  ]);
}

function regionFinding(mirror: Mirror, region: string | null): Finding {
  if (region === null)
    return wrong('no region is set', "Write aws: { region: 'eu-central-1' } in the configuration, or set AWS_REGION.");
  const elsewhere = mirror.tables.filter((one) => one.aws?.kind === 'existing' && one.aws.arn.split(':')[3] !== region);
  if (elsewhere.length === 0) return ok(region);
  return wrong(
    `${region}, but ${elsewhere.map((one) => one.name).join(', ')} are in another`,
    "Deploy in the tables' region: Lambda reads streams of its own region only.",
  );
}

/** What the templates of today's CDK ask for. */
const LEAST_BOOTSTRAP = 6;

async function bootstrapFinding(clients: Clients, caller: Caller): Promise<Finding> {
  const place = `aws://${caller.account}/${clients.region ?? 'REGION'}`;
  const remedy = `Run: npx cdk bootstrap ${place}`;
  try {
    const { Parameter: parameter } = await clients
      .ssm()
      .send(new GetParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version' }));
    const version = Number(parameter?.Value);
    return version >= LEAST_BOOTSTRAP ? ok(`version ${version}`) : wrong(`version ${parameter?.Value ?? '?'}`, remedy);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'ParameterNotFound') return wrong('not there', remedy);
    throw thrown;
  }
}

/** A table begins with four shards; the functions of the mirror run beside the captures. */
const SHARDS_PER_TABLE = 4;
const OTHER_FUNCTIONS = 4;

async function concurrencyFinding(mirror: Mirror, clients: Clients): Promise<Finding> {
  const { AccountLimit: limit } = await clients.lambda().send(new GetAccountSettingsCommand({}));
  const free = limit?.UnreservedConcurrentExecutions ?? limit?.ConcurrentExecutions;
  if (free === undefined) return unknown('AWS did not say', 'Look at the quota in the console of Service Quotas.');
  const needed = mirror.tables.length * SHARDS_PER_TABLE * mirror.aws.capture.parallelization + OTHER_FUNCTIONS;
  const found = `${free} executions at once, and the mirror may want ${needed}`;
  if (free >= needed * 2) return ok(found);
  const words =
    'service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000';
  return warning(
    `${found}; accounts begin with 10, and capture falls behind where it is throttled`,
    `Run: ${awsCommand(words, clients.region)}`,
  );
}

async function streamsFinding(mirror: Mirror, clients: Clients): Promise<Finding> {
  const { targets, tables } = mirror;
  const wanted = tables.length * ((targets.lakehouse ? 1 : 0) + (targets.warehouse === null ? 0 : 1));
  const quota = await streamQuota(clients);
  if (quota === null)
    return unknown(
      'the quota is not listed',
      'Look for the number of Firehose streams in the console of Service Quotas.',
    );
  const there = await countStreams(clients, quota);
  const found = `${there} of ${quota}, and the mirror makes ${wanted}`;
  if (there + wanted <= quota) return ok(found);
  return wrong(found, 'Ask for more Firehose streams in the console of Service Quotas, or delete what nobody uses.');
}

async function streamQuota(clients: Clients): Promise<number | null> {
  const { Quotas: quotas = [] } = await clients
    .quotas()
    .send(new ListServiceQuotasCommand({ ServiceCode: 'firehose' }));
  const quota = quotas.find(({ QuotaName: name = '' }) => /^(delivery|firehose) streams$/i.test(name.trim()));
  return quota?.Value ?? null;
}

async function countStreams(clients: Clients, most: number): Promise<number> {
  let count = 0;
  let after: string | undefined;
  for (;;) {
    const command = new ListDeliveryStreamsCommand({ Limit: 10_000, ExclusiveStartDeliveryStreamName: after });
    const { DeliveryStreamNames: names = [], HasMoreDeliveryStreams: hasMore } = await clients.firehose().send(command);
    count += names.length;
    after = names.at(-1);
    if (hasMore !== true || after === undefined || count >= most) return count;
  }
}

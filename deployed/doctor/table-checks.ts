import type { TableDescription } from '@aws-sdk/client-dynamodb';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { failureKind } from '../../adapters/aws/failure.ts';
import { keyOfDescription } from '../../adapters/aws/dynamodb-table.ts';
import type { MirrorTable } from '../../core/config.ts';
import type { Clients } from '../clients.ts';
import type { Check, Finding } from './check.ts';
import { awsCommand, check, ok, warning, wrong } from './check.ts';

/** What is to be looked at of one table of the configuration. */
export async function tableChecks(table: MirrorTable, clients: Clients): Promise<Check[]> {
  const place = table.aws?.kind === 'existing' ? table.aws.arn : table.from;
  const described: TableDescription[] = [];
  const first = await check(table.name, 'table', async () => {
    const description = await describe(clients, place);
    if (description !== null) described.push(description);
    return tableFinding(table, description);
  });
  const [found = null] = described;
  if (found === null || table.aws?.kind === 'new') return [first];
  const inTable: InTable = { table, place, description: found, clients };
  return [
    first,
    ...(await Promise.all([
      check(table.name, 'key', () => Promise.resolve(keyFinding(inTable))),
      check(table.name, 'stream', () => Promise.resolve(streamFinding(inTable))),
      check(table.name, 'point-in-time recovery', () => recoveryFinding(inTable)),
      check(table.name, 'time to live', () => ttlFinding(inTable)),
      check(table.name, 'encryption', () => encryptionFinding(inTable)),
    ])),
  ];
}

interface InTable {
  readonly table: MirrorTable;
  /** Its ARN or name, as calls take it. */
  readonly place: string;
  readonly description: TableDescription;
  readonly clients: Clients;
}

async function describe(clients: Clients, place: string): Promise<TableDescription | null> {
  try {
    return (await clients.dynamodb().send(new DescribeTableCommand({ TableName: place }))).Table ?? null;
  } catch (thrown) {
    if (failureKind(thrown) === 'missing') return null;
    throw thrown;
  }
}

function tableFinding(table: MirrorTable, description: TableDescription | null): Finding {
  const path = `tables.${table.name}.aws`;
  if (table.aws?.kind === 'new') {
    if (description !== null)
      return wrong(
        `${table.from} is there already`,
        `Mirror it as it is with ${arnsOf(path, description)}, or choose another name in tables.${table.name}.from.`,
      );
    return table.key === null
      ? wrong(`${table.from} is to be made, without a key`, `Write tables.${table.name}.key: { id: 'S' }.`)
      : ok(`${table.from} will be made`);
  }
  if (description === null)
    return wrong(
      `there is no table ${table.from} here`,
      `Check its name, account and region, or write ${path}: { create: true } and a key to have it made.`,
    );
  if (table.aws === null)
    return wrong(`${table.from} is there, and ${path} is not`, `Write ${arnsOf(path, description)}.`);
  return description.TableStatus === 'ACTIVE'
    ? ok(`${table.from}, about ${description.ItemCount ?? 0} items`)
    : warning(`${table.from} is ${description.TableStatus ?? 'in an unknown state'}`, 'Wait until it is ACTIVE.');
}

function arnsOf(path: string, { TableArn: arn, LatestStreamArn: streamArn }: TableDescription): string {
  return `${path}: { arn: '${arn ?? 'arn:…'}', streamArn: '${streamArn ?? 'turn its stream on first'}' }`;
}

function keyFinding({ table, description }: InTable): Finding {
  const there = keyOfDescription(table.from, description);
  const show = (key: NonNullable<MirrorTable['key']>) =>
    `{ ${key.map(({ attribute, type }) => `${attribute}: '${type}'`).join(', ')} }`;
  if (table.key === null || show(table.key) === show(there)) return ok(show(there));
  return wrong(
    `the table has ${show(there)}, the configuration ${show(table.key)}`,
    `Write tables.${table.name}.key: ${show(there)}, or leave it out.`,
  );
}

function streamFinding({ table, description, clients, place }: InTable): Finding {
  const { StreamSpecification: stream, LatestStreamArn: newest } = description;
  const update = (specification: string) =>
    awsCommand(`dynamodb update-table --table-name ${place} --stream-specification ${specification}`, clients.region);
  const turnOn = update('StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES');
  if (stream?.StreamEnabled !== true)
    return wrong('off', `Run: ${turnOn}\nthen write its ARN as tables.${table.name}.aws.streamArn.`);
  const view = stream.StreamViewType ?? 'unknown';
  if (view !== 'NEW_AND_OLD_IMAGES') {
    const remedy = `A view cannot be altered. Run: ${update('StreamEnabled=false')}\nthen: ${turnOn}\nthen write the new streamArn. Who reads the old stream must go over to the new one.`;
    return view === 'NEW_IMAGE'
      ? warning('on with NEW_IMAGE: enough to mirror, but deletes do not say what they deleted', remedy)
      : wrong(`on with ${view}: the items as they are after a change are missing`, remedy);
  }
  const configured = table.aws?.kind === 'existing' ? table.aws.streamArn : null;
  if (configured !== null && newest !== undefined && configured !== newest)
    return wrong(
      `${configured} is not the newest`,
      `Write tables.${table.name}.aws.streamArn: '${newest}'. An older stream gets no more changes.`,
    );
  return ok('on with new and old images');
}

async function recoveryFinding({ place, clients }: InTable): Promise<Finding> {
  const { ContinuousBackupsDescription: backups } = await clients
    .dynamodb()
    .send(new DescribeContinuousBackupsCommand({ TableName: place }));
  if (backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED') return ok('on');
  const words = `dynamodb update-continuous-backups --table-name ${place} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`;
  return warning(
    'off: the items that are there already cannot be exported',
    `Run: ${awsCommand(words, clients.region)}`,
  );
}

async function ttlFinding({ table, place, clients }: InTable): Promise<Finding> {
  const { TimeToLiveDescription: ttl } = await clients
    .dynamodb()
    .send(new DescribeTimeToLiveCommand({ TableName: place }));
  const isOn = ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING';
  const there = isOn ? (ttl.AttributeName ?? null) : null;
  if (table.ttl !== null && table.ttl !== there)
    return warning(
      there === null ? 'off' : `on ${there}`,
      `tables.${table.name}.ttl says ${table.ttl}. It is set only on a table that Glasshouse makes; here: ${awsCommand(`dynamodb update-time-to-live --table-name ${place} --time-to-live-specification Enabled=true,AttributeName=${table.ttl}`, clients.region)}`,
    );
  return ok(there === null ? 'off' : `on ${there}; its deletes are mirrored, with the cause ttl`);
}

async function encryptionFinding({ table, description, clients }: InTable): Promise<Finding> {
  const keyArn = description.SSEDescription?.KMSMasterKeyArn;
  if (keyArn === undefined) return ok("DynamoDB's own key");
  const { KeyMetadata: key } = await clients.kms().send(new DescribeKeyCommand({ KeyId: keyArn }));
  if (key?.Enabled !== true)
    return wrong(
      `the key ${keyArn} is ${key?.KeyState ?? 'not enabled'}`,
      `Run: ${awsCommand(`kms enable-key --key-id ${keyArn}`, clients.region)}`,
    );
  if (key.KeyManager !== 'CUSTOMER') return ok('a key that AWS manages');
  const configured = table.aws?.kind === 'existing' ? table.aws.kmsKeyArn : null;
  if (configured !== keyArn)
    return wrong(
      `the customer's key ${keyArn}`,
      `Write tables.${table.name}.aws.kmsKeyArn: '${keyArn}', so that capture may decrypt the stream. A key of another account must allow it in its own policy too.`,
    );
  return ok(`the customer's key ${keyArn}, enabled`);
}

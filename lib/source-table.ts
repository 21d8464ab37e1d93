import { Arn, ArnFormat, Stack, Token } from 'aws-cdk-lib';
import { AttributeType, BillingMode, StreamViewType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { MirrorTable, KeyTypeText } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { FunctionRole } from '../core/contract.ts';
import type { SealedContext } from './mirror-context.ts';
import { dataRemovalPolicy } from './mirror-context.ts';
import type { MirrorFunction } from './mirror-function.ts';
import { explainWildcards } from './wildcards.ts';

const KEY_TYPES: Readonly<Record<KeyTypeText, AttributeType>> = {
  S: AttributeType.STRING,
  N: AttributeType.NUMBER,
  B: AttributeType.BINARY,
};

/** What is known of a table on AWS. */
interface TablePlace {
  readonly tableName: string;
  readonly tableArn: string;
  readonly streamArn: string;
  /** The customer's key that encrypts it, if any. */
  readonly keyArn: string | null;
}

/** The DynamoDB table that is mirrored: one of the app's, one that is there already, or a new one. */
export class SourceTable extends Construct {
  readonly table: MirrorTable;
  readonly tableName: string;
  readonly tableArn: string;
  private readonly place: TablePlace;

  /** @param own the app's own construct of the table, which then says where it is */
  constructor(scope: Construct, id: string, context: SealedContext, table: MirrorTable, own: ITable | null) {
    super(scope, id);
    this.table = table;
    this.place = own ? placeOfOwn(table, own) : placeOfConfig(this, context, table);
    this.tableName = this.place.tableName;
    this.tableArn = this.place.tableArn;
  }

  get streamArn(): string {
    return this.place.streamArn;
  }

  /** Lets a function be fed from the table's stream. */
  grantStream(fn: MirrorFunction<FunctionRole>): void {
    const { tableArn, streamArn, keyArn } = this.place;
    fn.allow(['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'], [streamArn]);
    // Lambda asks for it beside the others; it names no stream.
    const streams = [`${tableArn}/stream/*`];
    fn.allow(['dynamodb:ListStreams'], streams);
    explainWildcards(fn.role, streams, 'The streams of one table are listed: no single one of them.');
    if (keyArn !== null) fn.allow(['kms:Decrypt'], [keyArn]);
  }

  /** Lets a function ask how the table is keyed. */
  grantDescribe(fn: MirrorFunction<FunctionRole>): void {
    fn.allow(['dynamodb:DescribeTable'], [this.tableArn]);
  }
}

function placeOfOwn(table: MirrorTable, own: ITable): TablePlace {
  const { tableStreamArn } = own;
  if (tableStreamArn === undefined) {
    throw new GlasshouseError(
      'config',
      `The table ${own.node.path}, given for tables.${table.name}, has no stream; make it with \`stream: StreamViewType.NEW_AND_OLD_IMAGES\`, or import it with \`Table.fromTableAttributes\` and its \`tableStreamArn\`.`,
    );
  }
  return {
    tableName: own.tableName,
    tableArn: own.tableArn,
    streamArn: tableStreamArn,
    keyArn: own.encryptionKey?.keyArn ?? null,
  };
}

function placeOfConfig(scope: Construct, context: SealedContext, table: MirrorTable): TablePlace {
  const { aws, from } = table;
  if (aws === null) {
    throw new GlasshouseError(
      'config',
      `tables.${table.name}.aws is missing: where is ${from} on AWS? Write aws: { arn: 'arn:aws:dynamodb:REGION:ACCOUNT:table/${from}', streamArn: 'arn:…/stream/LABEL' } for a table that is there, or aws: { create: true } for a new one.`,
    );
  }
  if (aws.kind === 'existing') {
    checkRegion(scope, table.name, aws.streamArn);
    return { tableName: from, tableArn: aws.arn, streamArn: aws.streamArn, keyArn: aws.kmsKeyArn };
  }
  const made = newTable(scope, context, table);
  return {
    tableName: from,
    tableArn: made.tableArn,
    streamArn: made.tableStreamArn ?? '',
    keyArn: context.key.keyArn,
  };
}

function newTable(scope: Construct, context: SealedContext, table: MirrorTable): Table {
  const [hash, range] = table.key ?? [];
  if (hash === undefined) {
    throw new GlasshouseError(
      'config',
      `tables.${table.name}.key is missing: a table that is to be created needs it. Write key: { customer_id: 'S', order_id: 'S' }, the hash attribute first, or name a table that is there with aws: { arn, streamArn }.`,
    );
  }
  return new Table(scope, 'Table', {
    tableName: table.from,
    partitionKey: { name: hash.attribute, type: KEY_TYPES[hash.type] },
    ...(range ? { sortKey: { name: range.attribute, type: KEY_TYPES[range.type] } } : {}),
    ...(table.ttl === null ? {} : { timeToLiveAttribute: table.ttl }),
    billingMode: BillingMode.PAY_PER_REQUEST,
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    encryption: TableEncryption.CUSTOMER_MANAGED,
    encryptionKey: context.key,
    deletionProtection: context.mirror.aws.onDestroy === 'retain',
    removalPolicy: dataRemovalPolicy(context.mirror),
  });
}

/** Lambda reads a stream only in the stream's own region. */
function checkRegion(scope: Construct, name: string, streamArn: string): void {
  const { region } = Stack.of(scope);
  const streamRegion = Arn.split(streamArn, ArnFormat.SLASH_RESOURCE_SLASH_RESOURCE_NAME).region;
  if (Token.isUnresolved(region) || streamRegion === undefined || region === streamRegion) return;
  throw new GlasshouseError(
    'config',
    `tables.${name}.aws.streamArn is in ${streamRegion}, and the mirror is deployed to ${region}: Lambda reads a stream in its own region only. Set aws.region to ${JSON.stringify(streamRegion)}, or name the table's replica in ${region}.`,
  );
}

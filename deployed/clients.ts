import { AthenaClient } from '@aws-sdk/client-athena';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { GlueClient } from '@aws-sdk/client-glue';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { RedshiftDataClient } from '@aws-sdk/client-redshift-data';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { clientConfig, quietly } from '../adapters/aws/clients.ts';

/** A client of each service that the command line asks, made when it is first used. */
export interface Clients {
  readonly region: string | null;
  athena(): AthenaClient;
  cloudwatch(): CloudWatchClient;
  dynamodb(): DynamoDBClient;
  firehose(): FirehoseClient;
  glue(): GlueClient;
  kms(): KMSClient;
  lambda(): LambdaClient;
  redshiftData(): RedshiftDataClient;
  s3(): S3Client;
  quotas(): ServiceQuotasClient;
  sqs(): SQSClient;
  ssm(): SSMClient;
  sts(): STSClient;
  /** Ends the connections of all that were made. */
  close(): void;
}

/** Longer than any call but that of a function takes to begin its answer; Athena and Redshift are asked again and again. */
const LONGEST_SILENCE_MS = 40_000;
/** A redrive works for minutes before it answers; the connection is silent meanwhile. */
const LONGEST_ANSWER_MS = 910_000;

/** Clients for a region; null leaves it to the environment and the profile. */
export function openClients(region: string | null): Clients {
  const made: { destroy(): void }[] = [];
  const known = clientConfig({ region: region ?? undefined }, process.env).region;
  const requestHandler = { connectionTimeout: 5_000, socketTimeout: LONGEST_SILENCE_MS };
  const config = { ...(known === undefined ? {} : { region: known }), requestHandler };
  const patient = {
    ...config,
    maxAttempts: 1,
    requestHandler: { ...requestHandler, socketTimeout: LONGEST_ANSWER_MS },
  };
  const once = <Client extends { destroy(): void }>(make: () => Client): (() => Client) => {
    let client: Client | null = null;
    return () => {
      if (client === null) made.push((client = quietly(make)));
      return client;
    };
  };
  return {
    region,
    athena: once(() => new AthenaClient(config)),
    cloudwatch: once(() => new CloudWatchClient(config)),
    dynamodb: once(() => new DynamoDBClient(config)),
    firehose: once(() => new FirehoseClient(config)),
    glue: once(() => new GlueClient(config)),
    kms: once(() => new KMSClient(config)),
    lambda: once(() => new LambdaClient(patient)),
    redshiftData: once(() => new RedshiftDataClient(config)),
    s3: once(() => new S3Client(config)),
    quotas: once(() => new ServiceQuotasClient(config)),
    sqs: once(() => new SQSClient(config)),
    ssm: once(() => new SSMClient(config)),
    sts: once(() => new STSClient(config)),
    close: () => made.forEach((client) => client.destroy()),
  };
}

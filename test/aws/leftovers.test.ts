import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { GlueClient } from '@aws-sdk/client-glue';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, it } from 'vitest';
import { openClients } from '../../deployed/clients.ts';
import { DEPLOYMENT, mirrorWith, serviceError } from '../deployed/mirror-config.ts';
import { leftOf } from './leftovers.ts';

const cloudwatch = mockClient(CloudWatchClient);
const dynamodb = mockClient(DynamoDBClient);
const firehose = mockClient(FirehoseClient);
const glue = mockClient(GlueClient);
const lambda = mockClient(LambdaClient);
const s3 = mockClient(S3Client);
const ssm = mockClient(SSMClient);

beforeEach(() => {
  [cloudwatch, dynamodb, firehose, glue, lambda, s3, ssm].forEach((mock) => mock.reset());
  cloudwatch.on(DescribeAlarmsCommand).resolves({ MetricAlarms: [] });
  dynamodb.rejects(serviceError('ResourceNotFoundException'));
  firehose.rejects(serviceError('ResourceNotFoundException'));
  glue.rejects(serviceError('EntityNotFoundException'));
  lambda.rejects(serviceError('ResourceNotFoundException'));
  s3.rejects(serviceError('NotFound'));
  ssm.rejects(serviceError('ParameterNotFound'));
});

const left = (deployment = DEPLOYMENT) => leftOf(openClients('eu-central-1'), mirrorWith(), deployment);

it('finds nothing where all is gone', async () => {
  expect(await left()).toEqual([]);
  expect(await leftOf(openClients('eu-central-1'), mirrorWith(), null)).toEqual([]);
});

it('names what is left, and what could not be asked after', async () => {
  cloudwatch.on(DescribeAlarmsCommand).resolves({ MetricAlarms: [{ AlarmName: 'glasshouse-shop-iterator-age' }] });
  s3.on(HeadBucketCommand, { Bucket: 'lake' }).resolves({});
  dynamodb.on(DescribeTableCommand, { TableName: 'control' }).rejects(serviceError('AccessDeniedException', 'no'));
  expect(await left()).toEqual([
    'alarms glasshouse-shop-…',
    'DynamoDB table control (could not be asked after: no)',
    'bucket lake',
  ]);
});

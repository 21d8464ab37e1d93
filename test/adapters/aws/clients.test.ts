import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { clientConfig, isLoopback, openDynamoDb, openDynamoDbStreams } from '../../../adapters/aws/clients.ts';

describe('clientConfig', () => {
  it('makes up credentials and a region for an endpoint that is not AWS, where the environment has none', () => {
    expect(clientConfig({ endpoint: 'http://127.0.0.1:8000' }, {})).toMatchObject({
      endpoint: 'http://127.0.0.1:8000',
      region: 'us-east-1',
      credentials: { accessKeyId: 'glasshouse' },
    });
  });

  it('leaves the credentials to the SDK where the environment has some, or the endpoint is one of AWS', () => {
    const endpoint = 'http://localhost:4566';
    expect(clientConfig({ endpoint }, { AWS_ACCESS_KEY_ID: 'AKIA' })).not.toHaveProperty('credentials');
    expect(clientConfig({ endpoint }, { AWS_PROFILE: 'dev' })).not.toHaveProperty('credentials');
    const aws = 'https://dynamodb.eu-west-1.amazonaws.com';
    expect(clientConfig({ endpoint: aws, region: 'eu-west-1' }, {})).not.toHaveProperty('credentials');
    expect(clientConfig({}, {})).not.toHaveProperty('credentials');
  });

  it('takes the region that is given, then the environment', () => {
    const environment = { AWS_REGION: 'eu-north-1', AWS_DEFAULT_REGION: 'eu-west-2' };
    expect(clientConfig({ region: 'eu-west-1' }, environment).region).toBe('eu-west-1');
    expect(clientConfig({}, environment).region).toBe('eu-north-1');
    expect(clientConfig({}, {})).not.toHaveProperty('region');
  });

  it('refuses an endpoint that is no URL, and says how to write one', () => {
    for (const endpoint of ['127.0.0.1:8000', 'localhost:8000', '', 'ftp://x']) {
      expect(() => clientConfig({ endpoint }, {})).toThrow(/http:\/\/127\.0\.0\.1:8000/);
    }
  });
});

it('tells an endpoint on this machine from one elsewhere', async () => {
  for (const [endpoint, isLocal] of [
    ['http://127.0.0.1:8000', true],
    ['http://localhost:8000', true],
    ['http://[::1]:8000', true],
    ['http://dynamodb.example:8000', false],
    [undefined, false],
  ] as const) {
    const client = openDynamoDbStreams({ endpoint, region: 'us-east-1' });
    expect(await isLoopback(client)).toBe(isLocal);
    client.destroy();
  }
});

it('puts the variable that silences the SDK back as it was', () => {
  const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';
  const before = process.env[name];
  for (const value of [undefined, 'false']) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
    openDynamoDb({ region: 'us-east-1' }).destroy();
    expect(process.env[name]).toBe(value);
  }
  if (before === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = before;
});

it('the SDK warns of nothing when its clients are made so, in a process of their own', async () => {
  // What the clients do, in plain JavaScript: that the SDK reads the variable when a client is made, and only then.
  const script = `
    const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
    const { DynamoDBStreamsClient } = require('@aws-sdk/client-dynamodb-streams');
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
    new DynamoDBClient({ region: 'us-east-1' });
    delete process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED;
    new DynamoDBStreamsClient({ region: 'us-east-1' });
    new DynamoDBClient({ region: 'us-east-1' });`;
  const { stderr } = await promisify(execFile)(process.execPath, ['-e', script]);
  expect(stderr).not.toContain('NodeVersionSupportWarning');
});

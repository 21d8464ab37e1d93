import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { GlueClient } from '@aws-sdk/client-glue';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openClients } from '../../deployed/clients.ts';
import type { DeployedVerifyReport, DoctorReport } from '../../deployed/results.ts';
import { DEPLOYMENT, serviceError } from '../deployed/mirror-config.ts';
import type { TestOptions } from './arguments.ts';
import { broken, byHand, holds, looks } from './checks/check.ts';
import { statusOfOneTable } from './status-of-one-table.ts';
import type { TestPorts, TestResult } from './test-on-aws.ts';
import { NO_CREDENTIALS, testOnAws } from './test-on-aws.ts';

const mocks = [CloudWatchClient, FirehoseClient, GlueClient, LambdaClient, S3Client, SSMClient].map((one) =>
  mockClient(one as typeof S3Client),
);
const dynamodb = mockClient(DynamoDBClient);
const sts = mockClient(STSClient);
const OPTIONS: TestOptions = { isAgreed: true, isLakehouseOnly: true, isKept: false, region: 'eu-central-1' };
const FINE: DoctorReport = { mirror: 'm', region: 'eu-central-1', checks: [], wrong: 0, warnings: 0 };
const LAKEHOUSE_ONLY = { ...DEPLOYMENT, warehouse: null };

let written = 0;
beforeEach(() => {
  [...mocks, dynamodb, sts].forEach((mock) => mock.reset());
  mocks.forEach((mock) => mock.rejects(serviceError('ResourceNotFoundException')));
  written = 0;
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'any');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'any');
  sts.on(GetCallerIdentityCommand).resolves({ Account: '111122223333' });
  // Whatever is written is taken in; tables that are asked after by name are gone.
  dynamodb.rejects(serviceError('ResourceNotFoundException'));
  for (const command of [PutItemCommand, UpdateItemCommand, DeleteItemCommand])
    dynamodb.on(command as typeof PutItemCommand).callsFake(() => void (written += 1));
  dynamodb.on(GetItemCommand).callsFake(() => {
    const mark = { sequence: 1, snapshotId: '1', newestCommittedAtMicros: 1, freshAtMillis: 1 };
    return { Item: { body: { S: JSON.stringify({ ...mark, changes: written }) } } };
  });
});
afterEach(() => vi.unstubAllEnvs());

interface Run {
  readonly lines: string[];
  readonly commands: string[];
  readonly kept: string[];
  readonly code: Promise<number>;
}

function run(options: Partial<TestOptions> = {}, change: (ports: TestPorts) => Partial<TestPorts> = () => ({})): Run {
  const [lines, commands, kept]: [string[], string[], string[]] = [[], [], []];
  let now = Date.UTC(2026, 10, 23);
  const status = () =>
    Promise.resolve(statusOfOneTable('order', { lakehouse: { lagMs: 0, changes: written, errorObjects: 0 } }));
  const verified = { equal: true, tables: [], differences: [], valuesCompared: 1, comparedAgain: 0 };
  const ports: TestPorts = {
    openClients,
    runNode: (args) => Promise.resolve(void commands.push(args.join(' '))),
    confirm: () => Promise.reject(new Error('Nobody is to be asked.')),
    print: (line) => void lines.push(line),
    keepResult: (text) => Promise.resolve((kept.push(text), 'docs/unverified-result.json')),
    writeScratch: (name) => Promise.resolve(`/scratch/${name}`),
    random: () => '0a1b2c3d',
    timing: { now: () => now, chance: () => 0.5, wait: (ms) => Promise.resolve(void (now += ms)) },
    signal: new AbortController().signal,
    deployed: {
      examine: () => Promise.resolve(FINE),
      findDeployment: () => Promise.resolve(LAKEHOUSE_ONLY),
      statusOfDeployed: status,
      verifyDeployed: () => Promise.resolve(verified as DeployedVerifyReport),
    },
    checks: { one: looks(() => holds('seen')), two: byHand('look') },
  };
  return { lines, commands, kept, code: testOnAws({ ...OPTIONS, ...options }, { ...ports, ...change(ports) }) };
}

const steps = (commands: readonly string[]) =>
  commands.map((command) => / (deploy|destroy) --all/.exec(command)?.[1] ?? command);

describe('without an agreement', () => {
  it('is skipped in a line where there are no credentials', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'AWS_WEB_IDENTITY_TOKEN_FILE'])
      vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', undefined);
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', undefined);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials');
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config');
    const { code, lines, commands } = run();
    expect(await code).toBe(0);
    expect(lines).toEqual([NO_CREDENTIALS]);
    expect(commands).toEqual([]);
  });

  it('tells the account and the cost, and deploys nothing that was not agreed to', async () => {
    const { code, lines, commands } = run({ isAgreed: false }, () => ({ confirm: () => Promise.resolve(false) }));
    expect(await code).toBe(0);
    expect(lines[0]).toBe(
      'A mirror gh_test_0a1b2c3d is going to be deployed into the account 111122223333, eu-central-1.',
    );
    expect(lines.join('\n')).toMatch(/costs \$\d+\.\d\d a month[^]+costs about \$\d+\.\d\d\./);
    expect(lines.at(-1)).toBe('Nothing was deployed.');
    expect(commands).toEqual([]);
  });

  it('deploys nothing where doctor finds something wrong', async () => {
    const wrong = {
      subject: 'account',
      what: 'CDK bootstrap',
      verdict: 'wrong',
      found: 'missing',
      remedy: 'npx cdk bootstrap',
    } as const;
    const { code, lines, commands } = run({}, (ports) => ({
      deployed: { ...ports.deployed, examine: () => Promise.resolve({ ...FINE, checks: [wrong], wrong: 1 }) },
    }));
    expect(await code).toBe(1);
    expect(lines.at(-1)).toBe('wrong: account, CDK bootstrap: missing. npx cdk bootstrap');
    expect(commands).toEqual([]);
  });
});

describe('a test', () => {
  it('deploys, writes, proves, measures, settles, keeps the result, and destroys', async () => {
    const { code, lines, commands, kept } = run();
    expect(await code).toBe(0);
    expect(steps(commands)).toEqual(['scripts/build.mjs', 'deploy', 'destroy']);
    const result = JSON.parse(kept[0] ?? '') as TestResult;
    expect(result).toMatchObject({
      region: 'eu-central-1',
      targets: ['lakehouse'],
      equal: { first: true, last: true },
      freshness: { lakehouse: { unseen: 0, rows: 30 } },
      claims: [
        { id: 'one', verdict: 'holds' },
        { id: 'two', verdict: 'open' },
      ],
    });
    expect(lines).toContain('Of 2 claims 1 hold, 0 do not, 1 are still open.');
    expect(lines.at(-1)).toBe('Nothing is left.');
  });

  it.each([
    ['a claim does not hold', () => ({ checks: { one: looks(() => broken('no')) } })],
    [
      'the targets differ',
      (ports: TestPorts) => ({
        deployed: {
          ...ports.deployed,
          verifyDeployed: () =>
            Promise.resolve({ equal: false, tables: [], differences: [], valuesCompared: 1, comparedAgain: 0 }),
        },
      }),
    ],
  ])('ends with 1 where %s, and destroys all the same', async (_, change) => {
    const { code, commands } = run({}, change);
    expect(await code).toBe(1);
    expect(steps(commands)).toEqual(['scripts/build.mjs', 'deploy', 'destroy']);
  });

  it.each(['build.mjs', 'deploy --all'])('destroys also where %s fails, and says why', async (failing) => {
    const { code, lines, commands } = run({}, (ports) => ({
      runNode: async (args, signal) => {
        await ports.runNode(args, signal);
        if (args.join(' ').includes(failing)) throw new Error('it broke');
      },
    }));
    expect(await code).toBe(1);
    expect(steps(commands).at(-1)).toBe('destroy');
    expect(lines).toContain('The test failed: it broke');
    expect(lines.at(-1)).toBe('Nothing is left.');
  });

  it('is ended by a stop, and destroys without being stopped', async () => {
    const stop = new AbortController();
    const signals: (AbortSignal | null)[] = [];
    const { code, lines } = run({}, () => ({
      signal: stop.signal,
      runNode: (args, signal) => {
        signals.push(signal);
        if (args.includes('deploy')) stop.abort();
        return Promise.resolve();
      },
    }));
    expect(await code).toBe(1);
    expect(signals).toEqual([stop.signal, stop.signal, null]);
    expect(lines).toContain('Stopped.');
  });

  it('tells what is left where it could not be destroyed', async () => {
    const { code, lines } = run({}, () => ({
      runNode: (args) => (args.includes('destroy') ? Promise.reject(new Error('a bucket')) : Promise.resolve()),
    }));
    expect(await code).toBe(1);
    expect(lines.join('\n')).toContain('Not all could be destroyed: a bucket');
    expect(lines.at(-1)).toBe('See the stacks that begin with GhTest0a1b2c3d in the CloudFormation console.');
  });

  it('leaves the mirror standing where it is told to, and says how to destroy it', async () => {
    const { code, lines, commands } = run({ isKept: true });
    expect(await code).toBe(0);
    expect(steps(commands)).toEqual(['scripts/build.mjs', 'deploy']);
    expect(lines.at(-1)).toMatch(/^The mirror stays, and costs\. To destroy it: node .*cdk destroy --all --force/);
  });
});

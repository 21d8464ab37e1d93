import { describe, expect, it } from 'vitest';
import { validateMirror } from '../../core/config.ts';
import { GlasshouseError } from '../../core/errors.ts';

const ARN = 'arn:aws:dynamodb:eu-central-1:111122223333:table/prod-Orders';
const STREAM = `${ARN}/stream/2026-11-22T10:00:00.000`;
const ROLE = 'arn:aws:iam::111122223333:role/copy';

const withAws = (aws: unknown, table: unknown = {}) => ({
  name: 'shop',
  tables: { orders: table },
  targets: { lakehouse: true },
  aws,
});

function mistakeIn(raw: unknown): string {
  try {
    validateMirror(raw);
  } catch (thrown) {
    if (thrown instanceof GlasshouseError && thrown.code === 'config') return thrown.message;
    throw thrown;
  }
  return '';
}

describe('where a table is on AWS', () => {
  it('an existing one by its ARNs; its name follows from them', () => {
    const [table] = validateMirror(withAws({}, { aws: { arn: ARN, streamArn: STREAM } })).tables;
    expect(table?.from).toBe('prod-Orders');
    expect(table?.aws).toEqual({ kind: 'existing', arn: ARN, streamArn: STREAM, kmsKeyArn: null });
  });

  it('a new one', () => {
    const table = { from: 'Orders', key: { id: 'S' }, aws: { create: true } };
    expect(validateMirror(withAws({}, table)).tables[0]?.aws).toEqual({ kind: 'new' });
  });

  it.each([
    [{ arn: ARN }, '{ create: true } for a new one'],
    [{}, '{ create: true } for a new one'],
    [{ create: true, arn: ARN, streamArn: STREAM }, '{ create: true } for a new one'],
    [{ arn: 'orders', streamArn: STREAM }, 'is no ARN of a table'],
    [{ arn: ARN, streamArn: STREAM.replace('prod-Orders', 'Others') }, 'is a stream of another table than `arn`'],
    [{ create: false }, 'must be true, or left out for a table that is there'],
  ])('refuses %j and says what to write', (aws, remedy) => {
    const message = mistakeIn(withAws({}, { aws }));
    expect(message).toContain('tables.orders.aws');
    expect(message).toContain(remedy);
  });
});

describe('which Redshift', () => {
  const place = (redshift: unknown) => validateMirror(withAws({ redshift })).aws.redshift;

  it('a new serverless one where nothing is said', () => {
    expect(place({}).where).toEqual({ kind: 'new-serverless', baseCapacity: 8 });
    expect(place({}).database).toBe('glasshouse');
  });

  it('an existing workgroup, whose database is dev', () => {
    const found = place({ serverless: { workgroup: 'bi', copyRoleArn: ROLE } });
    expect(found.where).toMatchObject({ kind: 'serverless', workgroup: 'bi', copyRoleArn: ROLE, secretArn: null });
    expect(found.database).toBe('dev');
  });

  it('an existing cluster and a new one', () => {
    expect(place({ cluster: { identifier: 'bi', dbUser: 'loader', copyRoleArn: ROLE } }).where).toMatchObject({
      kind: 'cluster',
      dbUser: 'loader',
      secretArn: null,
    });
    expect(place({ newCluster: { nodeType: 'ra3.large', nodes: 2 } }).where).toEqual({
      kind: 'new-cluster',
      nodeType: 'ra3.large',
      nodes: 2,
    });
  });

  it.each([
    [{ cluster: { identifier: 'bi', copyRoleArn: ROLE } }, 'exactly one of `dbUser`'],
    [
      { serverless: { workgroup: 'bi', copyRoleArn: ROLE }, newCluster: { nodeType: 'ra3.large', nodes: 1 } },
      'names several of serverless, cluster and newCluster',
    ],
    [{ baseCapacity: 2 }, 'must be a whole number from 4 to 1024'],
    [{ subnetIds: ['sg-1'] }, 'is no id that begins with subnet-'],
    [{ serverless: { workgroup: 'bi', copyRoleArn: 'copy' } }, 'is no ARN of iam'],
  ])('refuses %j and says why', (redshift, why) => {
    expect(mistakeIn(withAws({ redshift }))).toContain(why);
  });
});

it.each([
  [{ account: 111122223333 }, 'is no account'],
  [{ region: 'Frankfurt' }, 'is no AWS region'],
  [{ onDestroy: 'keep' }, 'must be "retain" or "delete"'],
  [{ logRetentionDays: 31 }, 'must be one of 1, 3, 5'],
  [{ capture: { parallelization: 11 } }, 'must be a whole number from 1 to 10'],
  [{ capture: { windowSeconds: 0 } }, 'must be at least 1 for batches of more than 10 records'],
  [{ lakehouse: { bufferSecond: 5 } }, 'did you mean "bufferSeconds"?'],
])('refuses %j and says why', (aws, why) => {
  expect(mistakeIn(withAws(aws))).toContain(why);
});

it('a deployment is in the region of its source where it names none', () => {
  const raw = { ...withAws({}), source: { region: 'eu-west-1' } };
  expect(validateMirror(raw).aws.region).toBe('eu-west-1');
});

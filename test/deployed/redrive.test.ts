import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RedrivePage } from '../../core/redrive-page.ts';
import { emptyReport } from '../../core/redrive-page.ts';
import { redriveDeployed } from '../../deployed/redrive.ts';
import { DEPLOYMENT, mirrorWith, options, serviceError } from './mirror-config.ts';

const lambda = mockClient(LambdaClient);
const ssm = mockClient(SSMClient);

/** As the SDK has a payload. */
function payload(value: unknown) {
  return Object.assign(Buffer.from(JSON.stringify(value)), { transformToString: () => JSON.stringify(value) }) as never;
}

function page(change: Partial<RedrivePage>): RedrivePage {
  return { counts: emptyReport(), notes: [], cursor: null, ...change };
}

beforeEach(() => {
  lambda.reset();
  ssm.reset();
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: JSON.stringify(DEPLOYMENT) } });
});

describe('redriveDeployed', () => {
  it('asks for page after page, from where the last one ended, and adds them up', async () => {
    const quarantine = { found: 2, redriven: 1, refused: 1, unknown: 0 };
    const counts = { ...emptyReport(), quarantine };
    const cursor = { kind: 'quarantine', after: 'quarantine/orders/a' } as const;
    lambda
      .on(InvokeCommand)
      .resolvesOnce({ Payload: payload(page({ counts, cursor, notes: ['one', 'two'] })) })
      .resolvesOnce({ Payload: payload(page({ counts, notes: ['two'] })) });
    const asked = options();
    const result = await redriveDeployed(mirrorWith(), asked);
    expect(result.counts.quarantine).toEqual({ found: 4, redriven: 2, refused: 2, unknown: 0 });
    expect(result.notes).toEqual(['one', 'two']);
    expect(asked.logged).toEqual(['1 redriven so far, at quarantine.']);
    const inputs = lambda.commandCalls(InvokeCommand).map((call) => call.args[0].input);
    expect(inputs[0]?.FunctionName).toBe('glasshouse-shop-redrive');
    const tables = [{ table: 'orders', sourceTable: 'Orders', maxColumns: 500 }];
    expect(inputs.map((input) => JSON.parse(input.Payload as string) as unknown)).toEqual([
      { tables, cursor: null },
      { tables, cursor },
    ]);
  });

  it('stops between pages', async () => {
    const stop = new AbortController();
    lambda.on(InvokeCommand).callsFake(() => {
      stop.abort();
      return { Payload: payload(page({ cursor: { kind: 'quarantine', after: null } })) };
    });
    await expect(redriveDeployed(mirrorWith(), options({ signal: stop.signal }))).rejects.toThrow('aborted');
    expect(lambda.commandCalls(InvokeCommand)).toHaveLength(1);
  });

  it('says what the function said when it failed, and that nothing is lost', async () => {
    lambda
      .on(InvokeCommand)
      .resolves({ FunctionError: 'Unhandled', Payload: payload({ errorMessage: 'Firehose did not take 3.' }) });
    await expect(redriveDeployed(mirrorWith(), options())).rejects.toThrow(
      'The function glasshouse-shop-redrive failed: Firehose did not take 3. Nothing is lost',
    );
  });

  it('says what failed when the function cannot be called', async () => {
    lambda.on(InvokeCommand).rejects(serviceError('TooManyRequestsException', 'slower'));
    await expect(redriveDeployed(mirrorWith(), options())).rejects.toThrow(
      'Could not run the function glasshouse-shop-redrive',
    );
  });
});

describe('the deployment', () => {
  it('is found by its name, which the command line may say', async () => {
    lambda.on(InvokeCommand).resolves({ Payload: payload(page({})) });
    await redriveDeployed(mirrorWith(), options({ mirror: 'other' }));
    expect(ssm.commandCalls(GetParameterCommand)[0]?.args[0].input).toEqual({ Name: '/glasshouse/other/deployment' });
  });

  it('that is not there is told with what to do', async () => {
    ssm.on(GetParameterCommand).rejects(serviceError('ParameterNotFound'));
    await expect(redriveDeployed(mirrorWith(), options({ region: 'eu-west-1' }))).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining(
        'There is no deployed mirror shop in eu-west-1. Deploy it with `npx cdk deploy --all`',
      ) as string,
    });
  });

  it.each(['', '{', '{"mirror":"shop"}', 'null'])('that says %j is corrupt', async (value) => {
    ssm.on(GetParameterCommand).resolves({ Parameter: { Value: value } });
    await expect(redriveDeployed(mirrorWith(), options())).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('that cannot be asked for is told', async () => {
    ssm.on(GetParameterCommand).rejects(serviceError('AccessDeniedException', 'no'));
    await expect(redriveDeployed(mirrorWith(), options())).rejects.toThrow(
      'Could not read where the mirror shop is deployed',
    );
  });
});

import { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { machineArnBeside, mergeMachine } from '../../../adapters/aws/merge-machine.ts';
import { testTiming } from './lake-mocks.ts';

const MACHINE = 'arn:aws:states:eu-west-1:123456789012:stateMachine:glasshouse-shop-merge';

function machine() {
  const mock = mockClient(SFNClient);
  const timing = testTiming();
  return { mock, timing, merge: mergeMachine(new SFNClient({ region: 'eu-west-1' }), MACHINE, timing) };
}

function named(name: string): Error {
  return Object.assign(new Error(`${name} (scripted)`), { name });
}

it('starts an execution with the table as its input', async () => {
  const { mock, merge } = machine();
  mock.on(StartExecutionCommand).resolves({ executionArn: 'x', startDate: new Date(0) });
  await merge.start('orders', 'orders-7-1');
  expect(mock.commandCalls(StartExecutionCommand)[0]?.args[0].input).toEqual({
    stateMachineArn: MACHINE,
    name: 'orders-7-1',
    input: '{"table":"orders"}',
  });
});

it('a name that was used already starts nothing, and is no error', async () => {
  const { mock, merge } = machine();
  mock.on(StartExecutionCommand).rejects(new ExecutionAlreadyExists({ message: 'there', $metadata: {} }));
  await expect(merge.start('orders', 'orders-7-1')).resolves.toBeUndefined();
});

it('throttling is waited out, until the time for it is over', async () => {
  const { mock, merge, timing } = machine();
  mock
    .on(StartExecutionCommand)
    .rejectsOnce(named('ThrottlingException'))
    .resolves({ executionArn: 'x', startDate: new Date(0) });
  await merge.start('orders', 'a');
  expect(timing.waited.length).toBe(1);
  mock.on(StartExecutionCommand).rejects(named('ThrottlingException'));
  await expect(merge.start('orders', 'b')).rejects.toMatchObject({ code: 'throttled' });
});

it('any other failure says what was to be started', async () => {
  const { mock, merge } = machine();
  mock.on(StartExecutionCommand).rejects(named('StateMachineDoesNotExist'));
  await expect(merge.start('orders', 'a')).rejects.toThrow(
    /Could not start the merge of orders: StateMachineDoesNotExist/,
  );
});

it('the machine is in the function’s partition, region and account', () => {
  expect(machineArnBeside('arn:aws:lambda:eu-west-1:123456789012:function:merge', 'glasshouse-shop-merge')).toBe(
    MACHINE,
  );
  expect(machineArnBeside('arn:aws-cn:lambda:cn-north-1:123456789012:function:merge:live', 'm')).toBe(
    'arn:aws-cn:states:cn-north-1:123456789012:stateMachine:m',
  );
  expect(() => machineArnBeside('merge', 'm')).toThrow(/"merge" is no ARN/);
});

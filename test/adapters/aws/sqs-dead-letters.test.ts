import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, it } from 'vitest';
import { createDeadLetters } from '../../../adapters/aws/sqs-dead-letters.ts';

const sqs = mockClient(SQSClient);
const letters = createDeadLetters(new SQSClient({ region: 'eu-central-1' }), {
  deadLetterUrl: 'dead',
  queueUrl: 'live',
});
const MESSAGES = ['a', 'b'].map((name) => ({ MessageId: name, Body: `body ${name}`, ReceiptHandle: `handle ${name}` }));

beforeEach(() => sqs.reset());

it('sends messages on, then removes them', async () => {
  sqs.on(ReceiveMessageCommand).resolves({ Messages: MESSAGES });
  sqs.on(SendMessageBatchCommand).resolves({ Successful: [success('0'), success('1')], Failed: [] });
  expect(await letters.sendBack()).toEqual({ found: 2, sent: 2 });
  expect(sqs.commandCalls(SendMessageBatchCommand)[0]?.args[0].input).toEqual({
    QueueUrl: 'live',
    Entries: [
      { Id: '0', MessageBody: 'body a' },
      { Id: '1', MessageBody: 'body b' },
    ],
  });
  expect(sqs.commandCalls(DeleteMessageBatchCommand)[0]?.args[0].input).toEqual({
    QueueUrl: 'dead',
    Entries: [
      { Id: '0', ReceiptHandle: 'handle a' },
      { Id: '1', ReceiptHandle: 'handle b' },
    ],
  });
});

it('removes only what was taken', async () => {
  sqs.on(ReceiveMessageCommand).resolves({ Messages: MESSAGES });
  sqs
    .on(SendMessageBatchCommand)
    .resolves({ Successful: [success('1')], Failed: [{ Id: '0', SenderFault: false, Code: 'x' }] });
  expect(await letters.sendBack()).toEqual({ found: 2, sent: 1 });
  expect(sqs.commandCalls(DeleteMessageBatchCommand)[0]?.args[0].input.Entries).toEqual([
    { Id: '0', ReceiptHandle: 'handle b' },
  ]);
});

it('removes nothing where nothing was taken', async () => {
  sqs.on(ReceiveMessageCommand).resolves({ Messages: MESSAGES });
  sqs.on(SendMessageBatchCommand).resolves({ Successful: [], Failed: [] });
  expect(await letters.sendBack()).toEqual({ found: 2, sent: 0 });
  expect(sqs.commandCalls(DeleteMessageBatchCommand)).toEqual([]);
});

it('finds none in an empty queue', async () => {
  sqs.on(ReceiveMessageCommand).resolves({});
  expect(await letters.sendBack()).toEqual({ found: 0, sent: 0 });
});

it('says what failed', async () => {
  sqs.on(ReceiveMessageCommand).rejects(Object.assign(new Error('no'), { name: 'AccessDeniedException' }));
  await expect(letters.sendBack()).rejects.toThrow(
    'Could not send dead letters of dead back to live: AccessDeniedException: no',
  );
});

function success(id: string) {
  return { Id: id, MessageId: id, MD5OfMessageBody: '' };
}

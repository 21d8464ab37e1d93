import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { stagedManifests, stagedQueue } from '../../../adapters/aws/staged-objects.ts';
import { steppedTiming } from '../../support/stepped-timing.ts';

const sqs = mockClient(SQSClient);
const s3 = mockClient(S3Client);
let timing = steppedTiming();

beforeEach(() => {
  sqs.reset();
  s3.reset();
  timing = steppedTiming();
});

const QUEUE_URL = 'queue-url';

function queue() {
  return stagedQueue({
    client: new SQSClient({ region: 'us-east-1' }),
    queueUrl: QUEUE_URL,
    bucket: 'staging',
    timing,
  });
}

function notice(key: string): string {
  const s3Part = { bucket: { name: 'staging' }, object: { key, size: 9 } };
  return JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: s3Part }] });
}

function message(number: number, Body = notice(`staged/orders/${number}.gz`), receives = 1) {
  return {
    MessageId: `m${number}`,
    ReceiptHandle: `r${number}`,
    Body,
    Attributes: { ApproximateReceiveCount: String(receives) },
  };
}

function failing(name: string): Error {
  return Object.assign(new Error(name), { name });
}

const handles = (count: number): string[] => Array.from({ length: count }, (_, index) => `r${index}`);

describe('receiving notices', () => {
  it('goes on till the queue is empty, ten at a time', async () => {
    sqs
      .on(ReceiveMessageCommand)
      .resolvesOnce({ Messages: [message(1), message(2, notice('staged/users/a+b.gz'), 3)] })
      .resolvesOnce({ Messages: [message(3)] })
      .resolves({});
    const received = await queue().receive(300, 900, timing.now() + 60_000);
    expect(received.isDrained).toBe(true);
    expect(received.messages.map(({ handle, receives }) => [handle, receives])).toEqual([
      ['r1', 1],
      ['r2', 3],
      ['r3', 1],
    ]);
    expect(received.messages[1]?.objects).toEqual([
      { table: 'users', url: 's3://staging/staged/users/a b.gz', bytes: 9 },
    ]);
    expect(sqs.commandCalls(ReceiveMessageCommand)[0]?.args[0].input).toEqual({
      QueueUrl: QUEUE_URL,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 900,
      WaitTimeSeconds: 1,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });
  });

  it('takes no more than it is asked to', async () => {
    let next = 0;
    sqs.on(ReceiveMessageCommand).callsFake((input: { MaxNumberOfMessages: number }) => ({
      Messages: Array.from({ length: input.MaxNumberOfMessages }, () => message(next++)),
    }));
    const received = await queue().receive(25, 900, timing.now() + 60_000);
    expect(received.messages).toHaveLength(25);
    expect(received.isDrained).toBe(false);
    expect(sqs.commandCalls(ReceiveMessageCommand).map((call) => call.args[0].input.MaxNumberOfMessages)).toEqual([
      10, 10, 5,
    ]);
  });

  it('ends when its time is over', async () => {
    sqs.on(ReceiveMessageCommand).callsFake(() => {
      timing.advance(1_000);
      return { Messages: [message(1)] };
    });
    const received = await queue().receive(300, 900, timing.now() + 3_000);
    expect(received.messages).toHaveLength(3);
    expect(received.isDrained).toBe(false);
  });

  it('removes a test of the way, and leaves strays with their reasons', async () => {
    sqs
      .on(ReceiveMessageCommand)
      .resolvesOnce({
        Messages: [message(1, '{"Event":"s3:TestEvent"}'), message(2, notice('errors/x')), message(3, 'no json')],
      })
      .resolves({});
    sqs.on(DeleteMessageBatchCommand).resolves({});
    const received = await queue().receive(300, 900, timing.now() + 60_000);
    expect(received.messages).toEqual([]);
    expect(received.strays).toEqual([
      'm2: its key "errors/x" does not fit staged/<table>/…',
      'm3: it is no JSON object',
    ]);
    expect(sqs.commandCalls(DeleteMessageBatchCommand)[0]?.args[0].input.Entries).toEqual([
      { Id: '0', ReceiptHandle: 'r1' },
    ]);
    expect(sqs.commandCalls(DeleteMessageBatchCommand)).toHaveLength(1);
  });

  it('tries again while it is throttled, and then says so', async () => {
    sqs
      .on(ReceiveMessageCommand)
      .rejectsOnce(failing('RequestThrottled'))
      .rejectsOnce(failing('ECONNRESET'))
      .resolvesOnce({})
      .rejects(failing('ThrottlingException'));
    expect((await queue().receive(1, 900, timing.now() + 60_000)).isDrained).toBe(true);
    await expect(queue().receive(1, 900, timing.now() + 60_000)).rejects.toMatchObject({ code: 'throttled' });
  });

  it('does not take a message without its receipt', async () => {
    sqs.on(ReceiveMessageCommand).resolves({ Messages: [{ MessageId: 'm', Body: notice('staged/a/b') }] });
    await expect(queue().receive(1, 900, timing.now() + 60_000)).rejects.toThrow(/without its receipt/);
  });
});

describe('removing and putting off', () => {
  it('goes in requests of ten, each handle once', async () => {
    sqs.on(DeleteMessageBatchCommand).resolves({ Successful: [], Failed: [] });
    await queue().remove(handles(23));
    const sent = sqs.commandCalls(DeleteMessageBatchCommand).map((call) => call.args[0].input.Entries ?? []);
    expect(sent.map((entries) => entries.length)).toEqual([10, 10, 3]);
    expect(sent.flat().map((entry) => entry.ReceiptHandle)).toEqual(handles(23));
    for (const entries of sent) expect(new Set(entries.map((entry) => entry.Id)).size).toBe(entries.length);
  });

  it('sends again what the service failed at, and nothing else', async () => {
    sqs
      .on(DeleteMessageBatchCommand)
      .resolvesOnce({
        Failed: [
          { Id: '1', SenderFault: false, Code: 'InternalError' },
          { Id: '2', SenderFault: true, Code: 'ReceiptHandleIsInvalid' },
        ],
      })
      .resolves({});
    await queue().remove(handles(4));
    const sent = sqs.commandCalls(DeleteMessageBatchCommand).map((call) => call.args[0].input.Entries ?? []);
    expect(sent[1]).toEqual([{ Id: '1', ReceiptHandle: 'r1' }]);
    expect(sent).toHaveLength(2);
  });

  it('gives up where the service fails again and again', async () => {
    sqs.on(DeleteMessageBatchCommand).resolves({ Failed: [{ Id: '0', SenderFault: false, Code: 'InternalError' }] });
    await expect(queue().remove(handles(2))).rejects.toThrow(/failed at 1 of them \(InternalError/);
    expect(sqs.commandCalls(DeleteMessageBatchCommand)).toHaveLength(4);
  });

  it('puts off by at most twelve hours', async () => {
    sqs.on(ChangeMessageVisibilityBatchCommand).resolves({});
    await queue().reappear(['a'], 15.4);
    await queue().reappear(['a'], 1e9);
    const seconds = sqs
      .commandCalls(ChangeMessageVisibilityBatchCommand)
      .map((call) => call.args[0].input.Entries?.[0]?.VisibilityTimeout);
    expect(seconds).toEqual([15, 43_200]);
  });

  it('asks nothing of SQS where there is nothing to do', async () => {
    await queue().remove([]);
    await queue().reappear([], 5);
    expect(sqs.calls()).toEqual([]);
  });
});

it('counts what waits, and what is hidden', async () => {
  sqs.on(GetQueueAttributesCommand).resolves({
    Attributes: {
      ApproximateNumberOfMessages: '3',
      ApproximateNumberOfMessagesNotVisible: '2',
      ApproximateNumberOfMessagesDelayed: '1',
    },
  });
  expect(await queue().count()).toEqual({ waiting: 3, hidden: 3 });
});

describe('a manifest', () => {
  it('has every object mandatory', async () => {
    s3.on(PutObjectCommand).resolves({});
    const manifests = stagedManifests(new S3Client({ region: 'us-east-1' }), 'staging', timing);
    expect(await manifests.write('manifests/orders/1-x.json', ['s3://staging/a b', 's3://staging/b'])).toBe(
      's3://staging/manifests/orders/1-x.json',
    );
    const input = s3.commandCalls(PutObjectCommand)[0]?.args[0].input;
    expect(input).toMatchObject({ Bucket: 'staging', Key: 'manifests/orders/1-x.json' });
    expect(JSON.parse(typeof input?.Body === 'string' ? input.Body : '')).toEqual({
      entries: [
        { url: 's3://staging/a b', mandatory: true },
        { url: 's3://staging/b', mandatory: true },
      ],
    });
  });

  it('is tried again, and its failure says what could not be written', async () => {
    s3.on(PutObjectCommand).rejectsOnce(failing('SlowDown')).rejects(failing('AccessDeniedException'));
    const manifests = stagedManifests(new S3Client({ region: 'us-east-1' }), 'staging', timing);
    await expect(manifests.write('manifests/a/1.json', [])).rejects.toThrow(
      /write the manifest s3:\/\/staging\/manifests\/a\/1\.json/,
    );
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(2);
  });
});

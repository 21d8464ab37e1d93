import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { DeadLetters } from '../../flows/redrive-ports.ts';
import { explainFailure } from './failure.ts';

export interface DeadLetterQueues {
  readonly deadLetterUrl: string;
  /** Where the messages came from. */
  readonly queueUrl: string;
}

/** As many as SQS gives at once. */
const MESSAGES_A_CALL = 10;
/** Long enough to send a few messages on. */
const HIDE_SECONDS = 120;

/** A dead-letter queue and the queue that its messages came from. The caller keeps the client, and destroys it. */
export function createDeadLetters(client: SQSClient, { deadLetterUrl, queueUrl }: DeadLetterQueues): DeadLetters {
  return {
    async sendBack() {
      const what = `send dead letters of ${deadLetterUrl} back to ${queueUrl}`;
      try {
        const messages = await receive(client, deadLetterUrl);
        if (messages.length === 0) return { found: 0, sent: 0 };
        const sent = await send(client, queueUrl, messages);
        await remove(client, deadLetterUrl, sent);
        return { found: messages.length, sent: sent.length };
      } catch (thrown) {
        throw explainFailure(thrown, what);
      }
    },
  };
}

async function receive(client: SQSClient, queueUrl: string): Promise<readonly Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: MESSAGES_A_CALL,
    VisibilityTimeout: HIDE_SECONDS,
    WaitTimeSeconds: 1,
  });
  return (await client.send(command)).Messages ?? [];
}

/** Those that were taken. One that is not stays a dead letter. */
async function send(client: SQSClient, queueUrl: string, messages: readonly Message[]): Promise<readonly Message[]> {
  const entries = messages.map(({ Body: body }, index) => ({ Id: String(index), MessageBody: body ?? '' }));
  const answer = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
  const taken = new Set(answer.Successful?.map(({ Id: id }) => id));
  return messages.filter((_, index) => taken.has(String(index)));
}

/** A message that is not removed shows up again, and is sent back once more: that is harmless. */
async function remove(client: SQSClient, queueUrl: string, messages: readonly Message[]): Promise<void> {
  if (messages.length === 0) return;
  const entries = messages.map(({ ReceiptHandle: handle }, index) => ({
    Id: String(index),
    ReceiptHandle: handle ?? '',
  }));
  await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
}

import type { S3Client } from '@aws-sdk/client-s3';
import { PutObjectCommand, S3Client as S3 } from '@aws-sdk/client-s3';
import type { BatchResultErrorEntry, Message, QueueAttributeName, SQSClient } from '@aws-sdk/client-sqs';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient as Sqs,
} from '@aws-sdk/client-sqs';
import { GlasshouseError } from '../../core/errors.ts';
import type { StagedMessage } from '../../core/load-plan.ts';
import type { Notice } from '../../core/staged-notice.ts';
import { readNotice } from '../../core/staged-notice.ts';
import type { Manifests, StagedQueue } from '../../flows/load-ports.ts';
import { backoffMs } from './backoff.ts';
import { quietly } from './clients.ts';
import { explainFailure } from './failure.ts';
import type { Timing } from './timing.ts';
import { systemTiming } from './timing.ts';
import { withinDeadline } from './within-deadline.ts';

/** Where S3 tells of staged objects. */
export interface StagedAccess {
  readonly client: SQSClient;
  readonly queueUrl: string;
  /** The staging bucket. */
  readonly bucket: string;
  readonly timing?: Timing;
}

/** SQS takes and gives so many messages in one request. */
const MESSAGES_A_REQUEST = 10;
/** Asks all of the queue's servers, so that an empty answer means an empty queue. */
const WAIT_SECONDS = 1;
const LONGEST_HIDE_SECONDS = 43_200;
const PATIENCE_MS = 20_000;
const MOST_TRIES = 4;
const NEVER = new AbortController().signal;

/** Clients as the loader needs them: of the queue, and of the bucket that manifests are written to. */
export function openStaged(): { readonly sqs: SQSClient; readonly s3: S3Client } {
  return quietly(() => ({ sqs: new Sqs({}), s3: new S3({}) }));
}

/** The queue of notices as the loader uses it. */
export function stagedQueue(access: StagedAccess): StagedQueue {
  return {
    count: () => countNotices(access),
    receive: async (limit, hideSeconds, untilMillis) => {
      const messages: StagedMessage[] = [];
      const strays: string[] = [];
      let isDrained = false;
      while (messages.length < limit && !isDrained && timingOf(access).now() < untilMillis) {
        const most = Math.min(MESSAGES_A_REQUEST, limit - messages.length);
        const received = await receiveSome(access, most, hideSeconds);
        isDrained = received.length === 0;
        const { bucket } = access;
        const notices = received.map((message) => ({ message, notice: readNotice(message.Body ?? '', bucket) }));
        await removeAll(
          access,
          notices.filter(({ notice }) => notice.kind === 'test').map(({ message }) => handleOf(message)),
        );
        messages.push(...notices.flatMap(({ message, notice }) => stagedMessages(message, notice)));
        strays.push(...notices.flatMap(({ message, notice }) => strayReasons(message, notice)));
      }
      return { messages, strays, isDrained };
    },
    remove: (handles) => removeAll(access, handles),
    reappear: (handles, inSeconds) => {
      const seconds = Math.min(LONGEST_HIDE_SECONDS, Math.max(0, Math.round(inSeconds)));
      return inTens(access, 'put off notices of staged objects', handles, (entries) =>
        access.client.send(
          new ChangeMessageVisibilityBatchCommand({
            QueueUrl: access.queueUrl,
            Entries: entries.map((entry) => ({ ...entry, VisibilityTimeout: seconds })),
          }),
        ),
      );
    },
  };
}

/** Manifests in the staging bucket. */
export function stagedManifests(client: S3Client, bucket: string, timing: Timing = systemTiming): Manifests {
  return {
    async write(key, objectUrls) {
      const what = `write the manifest s3://${bucket}/${key}`;
      const entries = objectUrls.map((url) => ({ url, mandatory: true }));
      await attempt(timing, what, () =>
        client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: JSON.stringify({ entries }),
            ContentType: 'application/json',
          }),
        ),
      );
      return `s3://${bucket}/${key}`;
    },
  };
}

async function countNotices(access: StagedAccess): Promise<{ waiting: number; hidden: number }> {
  const { Attributes } = await attempt(timingOf(access), 'count the notices of staged objects', () =>
    access.client.send(
      new GetQueueAttributesCommand({
        QueueUrl: access.queueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    ),
  );
  const number = (name: QueueAttributeName): number => Number(Attributes?.[name] ?? 0);
  return {
    waiting: number('ApproximateNumberOfMessages'),
    hidden: number('ApproximateNumberOfMessagesNotVisible') + number('ApproximateNumberOfMessagesDelayed'),
  };
}

async function receiveSome(access: StagedAccess, most: number, hideSeconds: number): Promise<readonly Message[]> {
  const { Messages } = await attempt(timingOf(access), 'receive notices of staged objects', () =>
    access.client.send(
      new ReceiveMessageCommand({
        QueueUrl: access.queueUrl,
        MaxNumberOfMessages: most,
        VisibilityTimeout: hideSeconds,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      }),
    ),
  );
  return Messages ?? [];
}

function stagedMessages(message: Message, notice: Notice): StagedMessage[] {
  if (notice.kind !== 'objects') return [];
  const receives = Number(message.Attributes?.ApproximateReceiveCount ?? 1);
  return [{ handle: handleOf(message), receives, objects: notice.objects }];
}

function strayReasons(message: Message, notice: Notice): string[] {
  return notice.kind === 'stray' ? [`${message.MessageId ?? 'a message'}: ${notice.reason}`] : [];
}

function handleOf(message: Message): string {
  if (message.ReceiptHandle !== undefined) return message.ReceiptHandle;
  throw new GlasshouseError(
    'unavailable',
    `SQS gave the message ${message.MessageId ?? ''} without its receipt. Try again.`,
  );
}

function removeAll(access: StagedAccess, handles: readonly string[]): Promise<void> {
  return inTens(access, 'remove notices of staged objects', handles, (entries) =>
    access.client.send(new DeleteMessageBatchCommand({ QueueUrl: access.queueUrl, Entries: entries })),
  );
}

interface Entry {
  readonly Id: string;
  readonly ReceiptHandle: string;
}

/**
 * Sends handles in requests of ten, and those that the service failed at again. A handle that it calls invalid is out of
 * date: the message is gone, or somebody else has it by now.
 */
async function inTens(
  access: StagedAccess,
  what: string,
  handles: readonly string[],
  send: (entries: Entry[]) => Promise<{ Failed?: BatchResultErrorEntry[] | undefined }>,
): Promise<void> {
  const timing = timingOf(access);
  for (let first = 0; first < handles.length; first += MESSAGES_A_REQUEST) {
    const slice = handles.slice(first, first + MESSAGES_A_REQUEST);
    let entries = slice.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle }));
    for (let tries = 1; entries.length > 0; tries++) {
      const sent = entries;
      const { Failed } = await attempt(timing, what, () => send(sent));
      const again = new Set((Failed ?? []).filter((entry) => entry.SenderFault !== true).map((entry) => entry.Id));
      entries = sent.filter((entry) => again.has(entry.Id));
      if (entries.length === 0) break;
      if (tries === MOST_TRIES) throw stillFailing(what, entries.length, Failed ?? []);
      await timing.wait(backoffMs(tries, timing.chance()), NEVER);
    }
  }
}

function stillFailing(what: string, count: number, failed: readonly BatchResultErrorEntry[]): GlasshouseError {
  const reason = failed.find((entry) => entry.SenderFault !== true);
  return new GlasshouseError(
    'unavailable',
    `Could not ${what}: SQS failed at ${count} of them (${reason?.Code ?? 'no code'}: ${reason?.Message ?? 'no message'}). ` +
      'The next run tries again; nothing is lost.',
  );
}

async function attempt<T>(timing: Timing, what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await withinDeadline(what, call, { timing, atMillis: timing.now() + PATIENCE_MS });
  } catch (thrown) {
    throw explainFailure(thrown, what);
  }
}

function timingOf(access: StagedAccess): Timing {
  return access.timing ?? systemTiming;
}

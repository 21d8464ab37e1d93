import { describe, expect, it } from 'vitest';
import { createMemorySchemaRegistry } from '../../adapters/memory/schema-registry.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { Log } from '../../flows/log.ts';
import type { SchemaRegistry } from '../../flows/ports.ts';
import type { ResourceAnswer, ResourceRequest } from '../../flows/register-answer.ts';
import { answerRegistration, resourceAnswer } from '../../flows/register-answer.ts';

const QUIET: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

const request = (more: Partial<ResourceRequest> = {}): ResourceRequest => ({
  RequestType: 'Create',
  ResponseURL: 'https://answers/1',
  StackId: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Shop/1',
  RequestId: 'r-1',
  LogicalResourceId: 'SchemaOrders',
  ResourceProperties: {
    ServiceToken: 'arn:aws:lambda:eu-central-1:123456789012:function:registrar',
    release: '0.1.0',
    part: 'schema',
    table: 'orders',
    sourceArn: 'arn:aws:dynamodb:eu-central-1:123456789012:table/orders',
    key: '[{"attribute":"id","type":"S"}]',
    columns: '',
    maxColumns: '500',
  },
  ...more,
});

function open(registry: SchemaRegistry = createMemorySchemaRegistry()) {
  const sent: { url: string; answer: ResourceAnswer }[] = [];
  const source = { keyOf: () => Promise.reject(new Error('nobody asks')) };
  const answers = {
    send: (url: string, answer: ResourceAnswer) => {
      sent.push({ url, answer });
      return Promise.resolve();
    },
  };
  return { sent, parts: { mirror: 'shop', register: { registry, source, lake: null }, answers, log: QUIET } };
}

const failingRegistry = (thrown: Error): SchemaRegistry => ({
  load: () => Promise.reject(thrown),
  save: () => Promise.reject(thrown),
});

describe('answerRegistration', () => {
  it('answers success where it was asked, with an id that follows from what was asked', async () => {
    const { sent, parts } = open();
    await answerRegistration(request(), parts, 300_000);
    expect(sent).toEqual([
      {
        url: 'https://answers/1',
        answer: {
          Status: 'SUCCESS',
          Reason: 'Done.',
          PhysicalResourceId: 'shop/orders/schema',
          StackId: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Shop/1',
          RequestId: 'r-1',
          LogicalResourceId: 'SchemaOrders',
          Data: { schemaVersion: '1', columns: '1' },
        },
      },
    ]);
  });

  it('keeps the id over updates, so that nothing is ever replaced', async () => {
    const { sent, parts } = open();
    await answerRegistration(request(), parts, 300_000);
    await answerRegistration(
      request({ RequestType: 'Update', PhysicalResourceId: 'shop/orders/schema' }),
      parts,
      300_000,
    );
    expect(new Set(sent.map(({ answer }) => answer.PhysicalResourceId)).size).toBe(1);
  });

  it('deletes nothing, and answers success to a request to delete with the id that it names', async () => {
    const { sent, parts } = open(failingRegistry(new Error('nobody may ask')));
    await answerRegistration(request({ RequestType: 'Delete', PhysicalResourceId: 'an/old/id' }), parts, 300_000);
    expect(sent[0]?.answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'an/old/id' });
  });

  it('answers what went wrong and what to do', async () => {
    const { sent, parts } = open(failingRegistry(new GlasshouseError('unavailable', 'The table is away. Try again.')));
    await answerRegistration(request(), parts, 300_000);
    expect(sent[0]?.answer).toMatchObject({
      Status: 'FAILED',
      Reason: 'The table is away. Try again.',
      PhysicalResourceId: 'shop/orders/schema',
      Data: {},
    });
  });

  it('answers also where something breaks that nobody foresaw', async () => {
    const { sent, parts } = open(failingRegistry(new TypeError('x is not a function')));
    await answerRegistration(request(), parts, 300_000);
    expect(sent[0]?.answer.Reason).toMatch(/nobody foresaw \(x is not a function\).*registrar's log/);
  });

  it('answers also to properties that cannot be read, under a stable id', async () => {
    const { sent, parts } = open();
    await answerRegistration(request({ ResourceProperties: null }), parts, 300_000);
    expect(sent[0]?.answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'shop/SchemaOrders' });
    expect(sent[0]?.answer.Reason).toMatch(/property part .* is missing/);
  });

  it('answers before its time is over, though the work hangs', async () => {
    const never = new Promise<never>(() => undefined);
    const { sent, parts } = open({ load: () => never, save: () => never });
    await answerRegistration(request(), parts, 10_020);
    expect(sent[0]?.answer.Status).toBe('FAILED');
    expect(sent[0]?.answer.Reason).toMatch(/was not registered within 0 s\. What was done is kept: deploy again/);
  });

  it('throws where the answer cannot be sent, so that the function is called again', async () => {
    const { parts } = open();
    const away = { send: () => Promise.reject(new Error('no way out')) };
    await expect(answerRegistration(request(), { ...parts, answers: away }, 300_000)).rejects.toThrow('no way out');
  });
});

describe('resourceAnswer', () => {
  it.each(['plain ', 'quoted " and \\ and \n ', 'wide 💥 and ü '])(
    'cuts a reason of %j to what CloudFormation takes, and no further than it must',
    (part) => {
      const answer = resourceAnswer(request(), 'shop', { status: 'FAILED', reason: part.repeat(2_000) });
      const bytes = Buffer.byteLength(JSON.stringify(answer));
      expect(bytes).toBeLessThanOrEqual(4_096);
      expect(bytes).toBeGreaterThan(4_080);
      expect(answer.Reason.endsWith('…')).toBe(true);
      expect(answer.Reason.isWellFormed()).toBe(true);
    },
  );
});

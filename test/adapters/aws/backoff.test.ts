import { describe, expect, it } from 'vitest';
import { backoffMs, type RetryStatus, withBackoff } from '../../../adapters/aws/backoff.ts';
import { explainFailure, failureKind } from '../../../adapters/aws/failure.ts';
import { createTurnstile } from '../../../adapters/aws/timing.ts';
import { GlasshouseError } from '../../../core/errors.ts';
import { virtualTiming } from '../../support/fake-dynamodb-streams.ts';

const named = (name: string, more: object = {}): Error => Object.assign(new Error('it failed'), { name }, more);
const signal = new AbortController().signal;

describe('backoffMs', () => {
  it('doubles from 50 ms to 5 s, of which the later half is chance', () => {
    expect([1, 2, 3, 7, 8, 1_000].map((attempt) => backoffMs(attempt, 1))).toEqual([50, 100, 200, 3200, 5000, 5000]);
    expect([1, 2, 8].map((attempt) => backoffMs(attempt, 0))).toEqual([25, 50, 2500]);
  });
});

describe('failureKind', () => {
  it('goes by the name, the system code, a cause of either, and the HTTP status', () => {
    expect(failureKind(named('ThrottlingException'))).toBe('throttled');
    expect(failureKind(named('Error', { code: 'ECONNREFUSED' }))).toBe('unreachable');
    expect(failureKind(new Error('outer', { cause: named('Error', { code: 'ETIMEDOUT' }) }))).toBe('unreachable');
    expect(failureKind(new AggregateError([named('Error', { code: 'ECONNREFUSED' })]))).toBe('unreachable');
    expect(failureKind(named('Weird', { $metadata: { httpStatusCode: 503 } }))).toBe('unreachable');
    expect(failureKind(named('Weird', { $metadata: { httpStatusCode: 429 } }))).toBe('throttled');
    expect(failureKind(new Error('socket hang up'))).toBe('unreachable');
  });

  it('leaves what nobody classified, and our own errors, unclassified', () => {
    expect(failureKind(named('SomethingNew'))).toBe('unknown');
    expect(failureKind('a string')).toBe('unknown');
    const own = new GlasshouseError('gap', 'lost', { cause: named('ResourceNotFoundException') });
    expect(failureKind(own)).toBe('unknown');
  });
});

describe('explainFailure', () => {
  it('says what to do without credentials or a region, and passes our own errors through', () => {
    expect(explainFailure(named('CredentialsProviderError'), 'list')).toMatchObject({
      code: 'config',
      message: expect.stringContaining('Set AWS_PROFILE') as string,
    });
    expect(explainFailure(new Error('Region is missing'), 'list')).toMatchObject({
      code: 'config',
      message: expect.stringContaining('Set AWS_REGION') as string,
    });
    const own = new GlasshouseError('gap', 'lost');
    expect(explainFailure(own, 'list')).toBe(own);
  });

  it('names the failure that it does not know, and keeps it as the cause', () => {
    const cause = named('SomethingNew');
    const explained = explainFailure(cause, 'describe the table orders');
    expect(explained.message).toMatch(/^Could not describe the table orders: SomethingNew: it failed\./);
    expect(explained.cause).toBe(cause);
  });
});

describe('withBackoff', () => {
  const failing = (failures: readonly Error[]) => {
    let calls = 0;
    return () => {
      const failure = failures[calls++];
      return failure ? Promise.reject(failure) : Promise.resolve(calls);
    };
  };

  it('tries again until it succeeds, and tells when it has recovered', async () => {
    const timing = virtualTiming();
    const statuses: RetryStatus[] = [];
    const backoff = { timing, unreachableMs: 60_000, onStatus: (status: RetryStatus) => statuses.push(status) };
    const call = failing([named('ThrottlingException'), named('InternalServerError')]);
    expect(await withBackoff('ask', call, backoff, signal)).toBe(3);
    expect(timing.waits).toEqual([38, 75]);
    expect(statuses.map(({ kind }) => kind)).toEqual(['retrying', 'retrying', 'recovered']);
  });

  it('throws what is not to be retried as it came', async () => {
    const failure = named('ValidationException');
    const backoff = { timing: virtualTiming(), unreachableMs: 60_000 };
    await expect(withBackoff('ask', failing([failure]), backoff, signal)).rejects.toBe(failure);
  });

  it('counts the time without an answer anew after throttling, which is one', async () => {
    const nobody = Array.from({ length: 6 }, () => named('TimeoutError'));
    const call = failing([...nobody, named('ThrottlingException'), ...nobody]);
    // Thirteen tries wait for about 30 s in all, but never for 20 s without an answer.
    expect(await withBackoff('ask', call, { timing: virtualTiming(), unreachableMs: 20_000 }, signal)).toBe(14);
  });

  it('stops trying when the signal aborts', async () => {
    const failure = named('ThrottlingException');
    const backoff = { timing: virtualTiming(), unreachableMs: 60_000 };
    await expect(withBackoff('ask', failing([failure]), backoff, AbortSignal.abort())).rejects.toBe(failure);
  });
});

describe('createTurnstile', () => {
  it('lets so many in at once, in the order they came, and goes on after a failure', async () => {
    const turnstile = createTurnstile(2);
    const log: string[] = [];
    let inside = 0;
    const visits = ['a', 'b', 'c', 'd'].map((name) =>
      turnstile(async () => {
        log.push(`${name}${++inside}`);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
        if (name === 'a') throw new Error('a failed');
        return name;
      }).catch((thrown: unknown) => String(thrown)),
    );
    expect(await Promise.all(visits)).toEqual(['Error: a failed', 'b', 'c', 'd']);
    expect(log).toEqual(['a1', 'b2', 'c2', 'd2']);
  });
});

import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogFields } from '../../../flows/log.ts';
import { createTelemetry } from '../../../adapters/aws/telemetry.ts';

/** Lines that Powertools writes to the standard output and error, parsed. */
let written: Record<string, unknown>[] = [];

function keep(chunk: string | Uint8Array): boolean {
  for (const line of chunk.toString().split('\n'))
    if (line.startsWith('{')) written.push(JSON.parse(line) as Record<string, unknown>);
  return true;
}

beforeEach(() => {
  written = [];
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  vi.spyOn(process.stderr, 'write').mockImplementation(keep);
});
afterEach(() => vi.restoreAllMocks());

const CONTEXT = {
  awsRequestId: 'request-1',
  functionName: 'glasshouse-shop-orders-capture',
  getRemainingTimeInMillis: () => 30_000,
} as Context;

describe('what a function says for itself', () => {
  it('writes metrics out at the end, a line for each set of dimensions, with no dimension but these', async () => {
    const { metrics, handler } = createTelemetry('capture', 'shop');
    await handler(() => {
      metrics.add('CapturedChanges', 3, { table: 'orders' });
      metrics.add('CapturedChanges', 4, { table: 'orders' });
      metrics.add('CaptureLag', 120, { table: 'orders' });
      metrics.add('CaptureLag', 80, { table: 'orders' });
      metrics.add('DeliveryRetries', 1, { table: 'orders', target: 'warehouse' });
      metrics.add('LoadBilledSeconds', 60, {});
      metrics.add('LoadedChanges', Number.NaN, {});
      return Promise.resolve(null);
    })({}, CONTEXT);
    const emf = written.filter((line) => '_aws' in line);
    expect(emf).toMatchObject([
      { mirror: 'shop', table: 'orders', CapturedChanges: 7, CaptureLag: [120, 80] },
      { mirror: 'shop', table: 'orders', target: 'warehouse', DeliveryRetries: 1 },
      { mirror: 'shop', LoadBilledSeconds: 60 },
    ]);
    expect(emf.map((line) => (line._aws as { CloudWatchMetrics: unknown }).CloudWatchMetrics)).toEqual([
      [
        {
          Namespace: 'Glasshouse',
          Dimensions: [['mirror', 'table']],
          Metrics: [
            { Name: 'CapturedChanges', Unit: 'Count' },
            { Name: 'CaptureLag', Unit: 'Milliseconds' },
          ],
        },
      ],
      [
        {
          Namespace: 'Glasshouse',
          Dimensions: [['mirror', 'table', 'target']],
          Metrics: [{ Name: 'DeliveryRetries', Unit: 'Count' }],
        },
      ],
      [
        {
          Namespace: 'Glasshouse',
          Dimensions: [['mirror']],
          Metrics: [{ Name: 'LoadBilledSeconds', Unit: 'Seconds' }],
        },
      ],
    ]);
  });

  it('writes nothing out twice, and no more values of a metric than CloudWatch takes', async () => {
    const { metrics, handler } = createTelemetry('capture', 'shop');
    const run = handler((values: readonly number[]) => {
      for (const value of values) metrics.add('CaptureLag', value, { table: 'orders' });
      return Promise.resolve(null);
    });
    await run(
      Array.from({ length: 1000 }, (_, at) => at),
      CONTEXT,
    );
    await run([5], CONTEXT);
    await run([], CONTEXT);
    const emf = written.filter((line) => '_aws' in line);
    expect(emf.map(({ CaptureLag: lag }) => (Array.isArray(lag) ? lag.length : lag))).toEqual([99, 5]);
  });

  it('gives each log line the request’s id and what was found in the event, of this event only', async () => {
    const { log, handler } = createTelemetry('merge', 'shop');
    const run = handler(
      (_: { table: string | null }, { requestId, endsAtMillis }) => {
        log.info('Merged', { changes: 3 });
        return Promise.resolve([requestId, endsAtMillis > 30_000]);
      },
      ({ table }): LogFields => (table === null ? {} : { table }),
    );
    expect(await run({ table: 'orders' }, CONTEXT)).toEqual(['request-1', true]);
    await run({ table: null }, { ...CONTEXT, awsRequestId: 'request-2' });
    expect(written).toMatchObject([
      {
        level: 'INFO',
        message: 'Merged',
        changes: 3,
        table: 'orders',
        mirror: 'shop',
        service: 'glasshouse-merge',
        function_request_id: 'request-1',
      },
      { message: 'Merged', function_request_id: 'request-2' },
    ]);
    expect(written[1]).not.toHaveProperty('table');
  });

  it('logs what is thrown, throws it on, and writes the metrics all the same', async () => {
    const { metrics, handler } = createTelemetry('load', 'shop');
    const failing = handler(() => {
      metrics.add('LoadFailures', 1, {});
      return Promise.reject(new Error('no warehouse'));
    });
    await expect(failing({}, CONTEXT)).rejects.toThrow('no warehouse');
    expect(written).toMatchObject([
      { level: 'ERROR', message: 'The load function failed', error: { message: 'no warehouse' } },
      { LoadFailures: 1 },
    ]);
  });

  it('leaves clients alone where nothing is traced', () => {
    const client = { send: () => null };
    expect(createTelemetry('capture', 'shop').traced(client)).toBe(client);
  });
});

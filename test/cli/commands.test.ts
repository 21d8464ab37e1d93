import { describe, expect, it } from 'vitest';
import type { Operations } from '../../cli/operations.ts';
import { validateMirror } from '../../core/config.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { CommonOptions, DemoReport, ReplayRequest, RunSummary, VerifyReport } from '../../local/results.ts';
import { recordingHost, run } from './recording-host.ts';

const MIRROR = validateMirror({ name: 'shop', tables: { orders: {} }, targets: { lakehouse: true, warehouse: true } });
const WITH_CONFIG: Partial<Operations> = {
  findConfig: () => Promise.resolve('/place/glasshouse.config.ts'),
  loadConfig: () => Promise.resolve(MIRROR),
};
const SUMMARY: RunSummary = {
  tables: [
    {
      table: 'orders',
      records: 1203,
      changes: 1200,
      rows: { lakehouse: 900, warehouse: 900 },
      quarantined: { 'not-json': 2, 'no-key': 1 },
      rescued: 4,
    },
  ],
  seconds: 2.5,
  perSecond: 481,
  peakMemoryBytes: 512_000_000,
};
const EQUAL: VerifyReport = {
  equal: true,
  tables: [
    {
      table: 'orders',
      sourceRows: 900,
      targets: { lakehouse: { rows: 900, differences: 0 }, warehouse: { rows: 900, differences: 0 } },
      checksum: 'ab12',
    },
  ],
  differences: [],
  valuesCompared: 14_400,
};
const DIFFERENT: VerifyReport = {
  equal: false,
  tables: [
    { table: 'orders', sourceRows: 900, targets: { warehouse: { rows: 899, differences: 2 } }, checksum: 'ab12' },
  ],
  differences: [
    { table: 'orders', target: 'warehouse', kind: 'missing', key: '["c#1","o#1"]' },
    {
      table: 'orders',
      target: 'warehouse',
      kind: 'different',
      key: '["c#1","o#2"]',
      columns: [{ column: 'total', source: '9.50', target: '9.5' }],
    },
  ],
  valuesCompared: 14_400,
};

describe('usage', () => {
  it('shows help for all and for each, with examples', async () => {
    const all = await run('--help');
    expect(all).toMatchObject({ code: 0, err: '' });
    const names = ['demo', 'init', 'run', 'verify', 'status', 'query', 'schema', 'maintain', 'replay', 'dynamodb'];
    for (const name of names) {
      expect(all.out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
      const { code, out, err } = await run(`${name} --help`);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(new RegExp(`Examples:\n  glasshouse ${name}`));
      for (const option of ['--config', '--dir', '--json']) expect(out).toContain(option);
    }
  });

  it('shows help on standard error where no command is named', async () => {
    const { code, out, err } = await run('');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Usage: glasshouse');
  });

  it.each([
    ['rum', "unknown command 'rum'"],
    ['run --forever', "unknown option '--forever'"],
    ['query', "missing required argument 'sql'"],
    ['status now', 'too many arguments'],
    ['demo --items many', "argument 'many' is invalid. Write a whole number from 1 to 1000000."],
    ['dynamodb --port 70000', 'Write a whole number from 0 to 65535.'],
    ['replay a.jsonl --table orders', "required option '--key <attributes>' not specified"],
    ['replay a.jsonl --table orders --key id --target lake', 'Allowed choices are lakehouse, warehouse, both.'],
    [
      'replay a.jsonl --table a/b --key id',
      '--table "a/b" is no DynamoDB table\'s name (at most 255 of A-Z a-z 0-9 _ . -) that makes a lower_snake name of at most 40 characters; write one such as Orders.',
    ],
    [
      'replay a.jsonl --table orders --key a,b,c',
      '--key "a,b,c" is no key; name one attribute, or two with a comma: --key customer_id,order_id.',
    ],
    ['replay a.jsonl --table orders --key a,a', '--key "a,a" is no key'],
  ])('refuses `%s` with 2', async (line, message) => {
    const { code, out, err } = await run(line);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });
});

describe('failures', () => {
  const failing = (error: Error) => run('verify', { ...WITH_CONFIG, verifyMirror: () => Promise.reject(error) });

  it.each([
    ['config', 2],
    ['usage', 2],
    ['unavailable', 1],
    ['input', 1],
  ] as const)('end a `%s` error with %d and its message alone', async (errorCode, code) => {
    const result = await failing(new GlasshouseError(errorCode, 'Something is so; do that.'));
    expect(result).toMatchObject({ code, out: '', err: 'error: Something is so; do that.\n' });
  });

  it('say where to look when nobody expected them', async () => {
    expect(await failing(new TypeError('x is not a function'))).toMatchObject({
      code: 1,
      err: 'error: x is not a function (unexpected; GLASSHOUSE_DEBUG=1 shows where)\n',
    });
  });

  it('show the stack and the cause with GLASSHOUSE_DEBUG=1', async () => {
    const host = recordingHost({ env: { GLASSHOUSE_DEBUG: '1' } });
    const error = new GlasshouseError('unavailable', 'It is gone.', { cause: new Error('ECONNREFUSED') });
    const { err } = await run('verify', { ...WITH_CONFIG, verifyMirror: () => Promise.reject(error) }, host);
    expect(err).toMatch(/It is gone\.\n\s+at .*\[cause\]: Error: ECONNREFUSED/s);
  });
});

describe('run', () => {
  it('mirrors the configuration and prints the summary', async () => {
    let received: (CommonOptions & { readonly untilIdle: boolean }) | null = null;
    const { code, out } = await run('run --until-idle --dir data', {
      ...WITH_CONFIG,
      runMirror: (mirror, options) => {
        received = options;
        expect(mirror).toBe(MIRROR);
        return Promise.resolve(SUMMARY);
      },
    });
    expect(code).toBe(0);
    expect(received).toMatchObject({ untilIdle: true, dir: '/place/data' });
    expect(out).toBe(
      [
        'table   records  changes  rows in lakehouse  rows in warehouse  rescued  quarantined',
        'orders    1,203    1,200                900                900        4            3',
        '',
        '1,203 records in 2.5 s: 481/s, at most 512.0 MB of memory',
        'Set aside from orders, in /place/data/quarantine: 2 not-json, 1 no-key',
        '',
      ].join('\n'),
    );
  });

  it('prints JSON lines with --json: progress at most once a second, then the summary', async () => {
    const host = recordingHost();
    const { out } = await run(
      'run --json',
      {
        ...WITH_CONFIG,
        runMirror: (_mirror, options) => {
          const event = {
            phase: 'streaming',
            records: 1,
            perSecond: 1,
            quarantined: 0,
            lagMs: { lakehouse: 5, warehouse: null },
          };
          for (let tenth = 0; tenth < 15; tenth++) {
            options.onProgress(event);
            host.advance(100);
          }
          return Promise.resolve(SUMMARY);
        },
      },
      host,
    );
    const documents = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    expect(documents.map((document) => document.event)).toEqual(['progress', 'progress', 'summary']);
    expect(documents[2]).toEqual({ event: 'summary', ...SUMMARY });
  });

  it('ends in order at the first signal and at once at the second', async () => {
    const host = recordingHost();
    const { code, err } = await run(
      'run',
      {
        ...WITH_CONFIG,
        runMirror: (_mirror, { signal }) => {
          host.stop('SIGINT');
          expect(signal.aborted).toBe(true);
          expect(host.exitedWith()).toBeNull();
          host.stop('SIGINT');
          expect(host.exitedWith()).toBe(130);
          return Promise.resolve(SUMMARY);
        },
      },
      host,
    );
    expect(code).toBe(0);
    expect(err).toContain('Stopping …');
  });

  it('is a failure, without a stack, where the signal leaves it undone', async () => {
    const host = recordingHost();
    const replay = run(
      'replay a --table orders --key id',
      {
        replayFiles: (_request, { signal }) => {
          host.stop('SIGTERM');
          return Promise.reject(signal.reason as Error);
        },
      },
      host,
    );
    expect(await replay).toMatchObject({ code: 1, err: expect.stringContaining('Stopped before the end') as string });
  });
});

describe('replay', () => {
  it('passes on files, key and targets', async () => {
    const requests: ReplayRequest[] = [];
    const operations: Partial<Operations> = {
      replayFiles: (request) => {
        requests.push(request);
        return Promise.resolve(SUMMARY);
      },
    };
    expect((await run('replay a.jsonl - --table orders --key customer_id,order_id --dir d', operations)).code).toBe(0);
    expect((await run('replay /b.gz --table orders --key id --target warehouse --strict', operations)).code).toBe(1);
    expect(requests).toEqual([
      {
        files: ['/place/a.jsonl', '-'],
        table: 'orders',
        key: ['customer_id', 'order_id'],
        targets: ['lakehouse', 'warehouse'],
        strict: false,
      },
      { files: ['/b.gz'], table: 'orders', key: ['id'], targets: ['warehouse'], strict: true },
    ]);
  });

  it('prints one document with --json, strict or not', async () => {
    const { code, out, err } = await run('replay a --table t --key id --strict --json', {
      replayFiles: () => Promise.resolve(SUMMARY),
    });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual(SUMMARY);
    expect(err).toContain('3 records were set aside, and --strict allows none.');
  });
});

describe('verify', () => {
  it('ends with 0 and the proof where all is equal', async () => {
    const { code, out } = await run('verify', { ...WITH_CONFIG, verifyMirror: () => Promise.resolve(EQUAL) });
    expect(code).toBe(0);
    expect(out).toContain('Equal: source and targets agree in all of 14,400 values.');
  });

  it('ends with 1 and what differs where anything does', async () => {
    const { code, out } = await run('verify', { ...WITH_CONFIG, verifyMirror: () => Promise.resolve(DIFFERENT) });
    expect(code).toBe(1);
    expect(out).toMatch(/warehouse +\["c#1","o#1"\] +missing in the target/);
    expect(out).toMatch(/warehouse +\["c#1","o#2"\] +different +total +9\.50 +9\.5/);
    expect(out).toContain('Not equal');
  });

  it('ends with 1 with --json too', async () => {
    const { code, out } = await run('verify --json', {
      ...WITH_CONFIG,
      verifyMirror: () => Promise.resolve(DIFFERENT),
    });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual(DIFFERENT);
  });

  it('needs a configuration', async () => {
    const loadConfig = (path: string) => Promise.reject(new GlasshouseError('config', `There is no ${path}.`));
    expect(await run('verify', { loadConfig })).toMatchObject({
      code: 2,
      err: 'error: There is no /place/glasshouse.config.ts.\n',
    });
    expect(await run('verify --config x.ts', { loadConfig })).toMatchObject({
      err: 'error: There is no /place/x.ts.\n',
    });
  });
});

describe('commands that can do without a configuration', () => {
  it.each([
    ['query q --dir d', false],
    ['query q', true],
    ['query q --dir d --config c.ts', true],
  ])('`%s` uses the configuration: %s', async (line, uses) => {
    const mirrors: unknown[] = [];
    await run(line, {
      ...WITH_CONFIG,
      queryMirror: (mirror) => {
        mirrors.push(mirror);
        return Promise.resolve({ columns: [], rows: [] });
      },
    });
    expect(mirrors).toEqual([uses ? MIRROR : null]);
  });

  it('query prints a table, or the exact values as JSON', async () => {
    const result = {
      columns: ['status', 'total'],
      rows: [
        ['paid', '9.50'],
        [null, '1234567890123456789012.34'],
      ],
    };
    const queryMirror: Operations['queryMirror'] = (_mirror, sql, target) => {
      expect([sql, target]).toEqual(['q', 'warehouse']);
      return Promise.resolve(result);
    };
    const table = await run('query q --target warehouse', { queryMirror });
    expect(table.out).toBe(
      `status                      total\npaid                         9.50\nnull    1234567890123456789012.34\n`,
    );
    expect(JSON.parse((await run('query q --target warehouse --json', { queryMirror })).out)).toEqual(result);
  });

  it('status shows tables and connections', async () => {
    const report = {
      mirror: 'shop',
      dir: '/place/.glasshouse',
      tables: [
        {
          table: 'orders',
          rows: { lakehouse: 900, warehouse: 899 },
          changes: 1200,
          lagMs: { lakehouse: 400, warehouse: null },
          quarantined: { 'not-json': 1 },
          rescuedRows: 2,
          bytes: { lakehouse: 12_345_678 },
          columns: 17,
        },
      ],
      warehouseUrl: 'postgres://u:p@127.0.0.1:5433/glasshouse',
      sourceEndpoint: 'http://127.0.0.1:8000',
    };
    const { code, out } = await run('status', { statusOf: () => Promise.resolve(report) });
    expect(code).toBe(0);
    expect(out).toContain('warehouse  postgres://u:p@127.0.0.1:5433/glasshouse');
    expect(out).toMatch(/orders +17 +lakehouse +900 +12\.3 MB +400 ms +1,200 +2 +1/);
    expect(out).toMatch(/orders +17 +warehouse +899 +- +- +1,200 +2 +1/);
  });

  it('schema shows columns with their attributes', async () => {
    const schemaOf: Operations['schemaOf'] = (_mirror, table) => {
      expect(table).toBe('orders');
      return Promise.resolve({
        version: 2,
        columns: [
          {
            id: 101,
            name: 'order_id',
            attribute: 'orderId',
            type: { kind: 'decimal', precision: 38, scale: 9 },
            keyIndex: 0,
          },
        ],
      });
    };
    const { out } = await run('schema orders', { schemaOf });
    expect(out).toContain('orders, version 2 of its schema');
    expect(out).toMatch(/101 {2}order_id {2}decimal\(38,9\) {2}orderId {4}hash/);
    const json = JSON.parse((await run('schema orders --json', { schemaOf })).out) as unknown;
    expect(json).toEqual({
      table: 'orders',
      version: 2,
      columns: [{ id: 101, name: 'order_id', attribute: 'orderId', type: 'decimal(38,9)', keyIndex: 0 }],
    });
  });

  it('maintain shows what became smaller', async () => {
    const report = {
      tables: [
        {
          table: 'orders',
          filesBefore: 120,
          filesAfter: 2,
          bytesBefore: 2e7,
          bytesAfter: 9e6,
          snapshotsExpired: 118,
          orphansRemoved: 1,
        },
      ],
    };
    const { out } = await run('maintain', { maintainMirror: () => Promise.resolve(report) });
    expect(out).toMatch(/orders +120 +2 +20\.0 MB +9\.0 MB +118 +1/);
  });
});

describe('demo', () => {
  const report: DemoReport = {
    run: SUMMARY,
    verify: EQUAL,
    writtenChanges: 3500,
    freshnessMs: { lakehouse: { p50: 300, p95: 700 } },
    queries: [
      {
        title: 'Orders by status',
        target: 'warehouse',
        sql: "select count(*) from orders where order_status = 'paid'",
        result: { columns: ['count'], rows: [['7']] },
      },
    ],
    lakehouseDir: '/place/.glasshouse/lakehouse',
    warehouseUrl: null,
    seconds: 12.3,
  };

  it('passes its options on and shows the proof and queries to paste', async () => {
    const { code, out } = await run('demo --items 10 --changes 20 --rate 5 --seed 7', {
      runDemo: (request, options) => {
        expect(request).toEqual({ items: 10, changes: 20, rate: 5, seed: 7 });
        options.say('writing');
        return Promise.resolve(report);
      },
    });
    expect(code).toBe(0);
    expect(out).toMatch(/^writing\n/);
    expect(out).toContain(
      `npx glasshouse query "select count(*) from orders where order_status = 'paid'" --target warehouse\n`,
    );
    expect(out).toContain('From a write to its being seen: lakehouse 300 ms (95 of 100 within 700 ms).');
    expect(out).toContain('Equal: source and targets agree');
  });

  it('says nothing but its document with --json, and fails where the proof does', async () => {
    const { code, out, err } = await run('demo --json', {
      runDemo: (_request, options) => {
        options.say('writing');
        return Promise.resolve({ ...report, verify: DIFFERENT });
      },
    });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ writtenChanges: 3500 });
    expect(err).toBe('writing\n');
  });
});

describe('dynamodb', () => {
  it('serves until a signal, then closes', async () => {
    const host = recordingHost();
    let closed = false;
    const { code, out } = await run(
      'dynamodb --port 0 --path tables --json',
      {
        startDynamoDb: (options) => {
          expect(options).toEqual({ port: 0, path: '/place/tables' });
          queueMicrotask(() => host.stop('SIGTERM'));
          return Promise.resolve({
            endpoint: 'http://127.0.0.1:5',
            port: 5,
            close: () => Promise.resolve(void (closed = true)),
          });
        },
      },
      host,
    );
    expect({ code, closed }).toEqual({ code: 0, closed: true });
    expect(JSON.parse(out)).toEqual({ endpoint: 'http://127.0.0.1:5', port: 5, path: '/place/tables' });
  });
});

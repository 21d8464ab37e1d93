import { describe, expect, it } from 'vitest';
import type { Operations } from '../../cli/operations.ts';
import { validateMirror } from '../../core/config.ts';
import { costReport } from '../../core/cost/cost-report.ts';
import { emptyReport } from '../../core/redrive-page.ts';
import type { DeployedOptions, DeployedStatus, DoctorReport, TableStatus } from '../../deployed/results.ts';
import { run } from './recording-host.ts';

const MIRROR = validateMirror({ name: 'shop', tables: { orders: {} }, targets: { lakehouse: true, warehouse: true } });
const WITH_CONFIG: Partial<Operations> = {
  findConfig: () => Promise.resolve('/place/glasshouse.config.ts'),
  loadConfig: () => Promise.resolve(MIRROR),
};

const TABLE: TableStatus = {
  table: 'orders',
  columns: 17,
  targets: {
    lakehouse: { lagMs: 12_000, changes: 1200, errorObjects: 0 },
    warehouse: { lagMs: null, changes: 0, errorObjects: 2 },
  },
  quarantined: { 'key-type': 3 },
  quarantinedObjects: 1,
  rescuedRows: 5,
  iteratorAgeMs: 900,
};
const STATUS: DeployedStatus = {
  mirror: 'shop',
  region: 'eu-central-1',
  version: '0.1.0',
  dashboard: 'https://dashboard',
  tables: [TABLE],
  failedBatches: 1,
  loads: { waiting: 4, deadLetters: 2, wakeUpsToday: 3, billedSecondsToday: 180, spentTodayUsd: 0.15 },
};
const QUIET: DeployedStatus = {
  ...STATUS,
  failedBatches: 0,
  loads: null,
  tables: [
    {
      ...TABLE,
      targets: { lakehouse: { lagMs: 0, changes: 0, errorObjects: 0 } },
      quarantined: {},
      quarantinedObjects: 0,
      iteratorAgeMs: null,
    },
  ],
};

describe('where a command is asked', () => {
  it('of a deployed mirror, by its configuration, name and region', async () => {
    const asked: [string, DeployedOptions][] = [];
    const statusOfDeployed: Operations['statusOfDeployed'] = (mirror, options) => {
      asked.push([mirror.name, options]);
      return Promise.resolve(QUIET);
    };
    await run('status --deployed --mirror other --region eu-west-1', { ...WITH_CONFIG, statusOfDeployed });
    await run('status --deployed', { ...WITH_CONFIG, statusOfDeployed });
    expect(asked).toMatchObject([
      ['shop', { mirror: 'other', region: 'eu-west-1' }],
      ['shop', { mirror: null, region: null }],
    ]);
  });

  it.each([
    ['status --region eu-west-1', '--region says where a deployed mirror is: give --deployed with it.'],
    ['verify --mirror other', '--mirror says where a deployed mirror is: give --deployed with it.'],
    ['redrive --deployed --dir d', '--dir names a folder, and --deployed a mirror in AWS: give one of them.'],
    ['maintain --dry-run', '--dry-run is for --deployed: in a folder there is no statement to show.'],
  ])('`%s` contradicts itself', async (line, message) => {
    expect(await run(line, WITH_CONFIG)).toMatchObject({ code: 2, err: `error: ${message}\n` });
  });
});

describe('status --deployed', () => {
  it('shows each table and target, the loads, and what wants somebody to look', async () => {
    const { code, out } = await run('status --deployed', {
      ...WITH_CONFIG,
      statusOfDeployed: () => Promise.resolve(STATUS),
    });
    expect(code).toBe(0);
    expect(out).toMatch(/orders +17 +lakehouse +12\.0 s +1,200 +0 +900 ms +5 +3\n/);
    expect(out).toMatch(/orders +17 +warehouse +- +0 +2 +900 ms +5 +3\n/);
    expect(out).toContain('Loads: 4 staged objects waiting; today 3 wake-ups of 3 min 0 s, about $0.15.\n');
    expect(out).toContain('Lambda gave up on 1 batch; send them through again with `glasshouse redrive --deployed`.');
    expect(out).toContain('Firehose did not deliver 2 objects of orders to the warehouse;');
    expect(out).toContain('Set aside from orders: 3 key-type;');
    expect(out).toContain('The loader gave up on 2 staged objects;');
  });

  it('has nothing to tell of a quiet mirror, and says of many objects that they are many', async () => {
    const quiet = await run('status --deployed', { ...WITH_CONFIG, statusOfDeployed: () => Promise.resolve(QUIET) });
    expect(quiet.out).not.toMatch(/redrive|Loads/);
    const many = { ...QUIET, tables: [{ ...TABLE, quarantined: null, quarantinedObjects: 1000 }] };
    const { out } = await run('status --deployed', { ...WITH_CONFIG, statusOfDeployed: () => Promise.resolve(many) });
    expect(out).toContain('Set aside from orders: 1,000 objects or more;');
  });

  it('is one document with --json', async () => {
    const { out } = await run('status --deployed --json', {
      ...WITH_CONFIG,
      statusOfDeployed: () => Promise.resolve(STATUS),
    });
    expect(JSON.parse(out)).toEqual(STATUS);
  });
});

describe('verify --deployed', () => {
  const report = { equal: false, tables: [], differences: [], valuesCompared: 9, comparedAgain: 2 };

  it('fails where anything differs, and says what was compared once more', async () => {
    const { code, out } = await run('verify --deployed', {
      ...WITH_CONFIG,
      verifyDeployed: () => Promise.resolve(report),
    });
    expect(code).toBe(1);
    expect(out).toContain('Not equal');
    expect(out).toContain('2 rows differed at first, and were compared once more.');
    const equal = { ...report, equal: true };
    expect(
      (await run('verify --deployed --json', { ...WITH_CONFIG, verifyDeployed: () => Promise.resolve(equal) })).code,
    ).toBe(0);
  });
});

describe('redrive', () => {
  const quarantine = { found: 3, redriven: 2, refused: 1, unknown: 0 };

  it('--deployed shows each kind, why anything was left, and ends with 1 if anything was', async () => {
    const result = { counts: { ...emptyReport(), quarantine }, notes: ['errors/x: a riddle. It stays.'] };
    const { code, out } = await run('redrive --deployed', {
      ...WITH_CONFIG,
      redriveDeployed: () => Promise.resolve(result),
    });
    expect(code).toBe(1);
    expect(out).toMatch(/quarantine +3 +2 +1 +0\n/);
    expect(out).toContain('errors/x: a riddle. It stays.\nWhat is left stays where it was: 1 record.');
    const nothing = { counts: emptyReport(), notes: [] };
    const done = await run('redrive --deployed', { ...WITH_CONFIG, redriveDeployed: () => Promise.resolve(nothing) });
    expect(done).toMatchObject({ code: 0, out: expect.stringContaining('Nothing is left.') as string });
    const json = await run('redrive --deployed --json', {
      ...WITH_CONFIG,
      redriveDeployed: () => Promise.resolve(nothing),
    });
    expect(JSON.parse(json.out)).toEqual(nothing);
  });

  it('of a folder shows each table', async () => {
    const report = { tables: [{ table: 'orders', found: 3, redriven: 2, refused: 1 }] };
    const { code, out } = await run('redrive', { ...WITH_CONFIG, redriveMirror: () => Promise.resolve(report) });
    expect(code).toBe(1);
    expect(out).toMatch(/orders +3 +2 +1\n/);
    expect(out).toContain('Refused again: 1 record; still in /place/.glasshouse/quarantine.');
    const done = { tables: [{ table: 'orders', found: 0, redriven: 0, refused: 0 }] };
    expect((await run('redrive --dir d', { redriveMirror: () => Promise.resolve(done) })).code).toBe(0);
    expect(JSON.parse((await run('redrive --json', { redriveMirror: () => Promise.resolve(done) })).out)).toEqual(done);
  });
});

describe('maintain --deployed', () => {
  it('shows the statements, whether they were run or not', async () => {
    const maintainDeployed: Operations['maintainDeployed'] = (_mirror, { dryRun }) =>
      Promise.resolve({
        isDryRun: dryRun,
        statements: [{ table: 'orders', sql: 'VACUUM shop.orders', scannedBytes: dryRun ? null : 1_500_000 }],
        notes: ['Redshift does it by itself.'],
      });
    const dry = await run('maintain --deployed --dry-run', { ...WITH_CONFIG, maintainDeployed });
    expect(dry.out).toMatch(/would be run.*\norders +VACUUM shop\.orders +-\nRedshift does it by itself\.\n/);
    const { out } = await run('maintain --deployed', { ...WITH_CONFIG, maintainDeployed });
    expect(out).toMatch(/was run.*\norders +VACUUM shop\.orders +1\.5 MB\n/);
    expect(
      JSON.parse((await run('maintain --deployed --json', { ...WITH_CONFIG, maintainDeployed })).out),
    ).toMatchObject({ isDryRun: false });
  });
});

describe('doctor', () => {
  const ok = { subject: 'account', what: 'region', verdict: 'ok', found: 'eu-central-1', remedy: null } as const;
  const off = {
    subject: 'orders',
    what: 'stream',
    verdict: 'wrong',
    found: 'off',
    remedy: 'Run: aws dynamodb …\nthen deploy.',
  } as const;
  const report: DoctorReport = { mirror: 'shop', region: 'eu-central-1', checks: [ok, off], wrong: 1, warnings: 0 };

  it('shows what it looked at, and what to do', async () => {
    const { code, out } = await run('doctor', { ...WITH_CONFIG, examine: () => Promise.resolve(report) });
    expect(code).toBe(1);
    expect(out).toMatch(/orders +stream +wrong +off\n/);
    expect(out).toContain('wrong orders, stream\n  Run: aws dynamodb …\n  then deploy.\n');
    expect(out).toContain('1 thing must be put right before the deploy.');
  });

  it('is content with warnings, and more so without', async () => {
    const warned = { ...report, wrong: 0, warnings: 2 };
    const { code, out } = await run('doctor', { ...WITH_CONFIG, examine: () => Promise.resolve(warned) });
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining('Ready to deploy, with 2 warnings.') as string,
    });
    const fine = await run('doctor', {
      ...WITH_CONFIG,
      examine: () => Promise.resolve({ ...report, checks: [ok], wrong: 0 }),
    });
    expect(fine.out).toContain('Ready to deploy: npx cdk deploy --all\n');
  });

  it('gives its document with --json, and passes the region on', async () => {
    const examine: Operations['examine'] = (_mirror, { region }) => {
      expect(region).toBe('eu-west-1');
      return Promise.resolve(report);
    };
    const { out, code } = await run('doctor --region eu-west-1 --json', { ...WITH_CONFIG, examine });
    expect(JSON.parse(out)).toEqual(report);
    expect(code).toBe(1);
  });
});

describe('cost', () => {
  const costOf: Operations['costOf'] = (mirror, load) => Promise.resolve(costReport(mirror, load));

  it('shows every item, the total, what dominates, and what would lower it', async () => {
    const { code, out } = await run('cost --changes-per-second 10 --row-bytes 1000', { ...WITH_CONFIG, costOf });
    expect(code).toBe(0);
    expect(out).toMatch(/^shop, 10 changes a second of 1\.0 kB, 1 table of 1,000,000 rows\n/);
    expect(out).toMatch(/lakehouse +Firehose into Iceberg +33\.7 +GB +0\.075 +2\.53 +a row and 300 bytes/);
    expect(out).toMatch(
      /About \$\d+\.\d\d a month, \$\d+\.\d\d a million changes \(prices of us-east-1, \d{4}-\d\d-\d\d/,
    );
    expect(out).toContain(
      'The budget allows a load every 7 min 12 s: the warehouse misses the objective of 1 min 0 s.',
    );
    expect(out).toMatch(/\d+ % of it: Redshift Serverless, wake-ups\./);
    expect(out).toMatch(
      /What would lower it, each alone:\n {2}aws\.redshift\.dailyBudgetUsd: 5 {2}saves \$15\d\.\d\d a month/,
    );
  });

  it('needs no configuration, and gives its document with --json', async () => {
    expect((await run('cost', { costOf })).out).toMatch(
      /^no configuration here: one table into both targets, 10 changes/,
    );
    const { out } = await run('cost --changes-per-second 0.5 --rows 7 --json', { costOf });
    expect(JSON.parse(out)).toMatchObject({
      mirror: null,
      workload: { changesPerSecond: 0.5, rowBytes: 1000, rowsPerTable: 7 },
    });
  });

  it.each(['-1', 'x', '1e12', ''])('refuses %j changes a second', async (text) => {
    expect((await run(`cost --changes-per-second=${text}`, { costOf })).code).toBe(2);
  });
});

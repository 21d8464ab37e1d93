import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfigFile } from '../../adapters/files/config-file.ts';
import { recordingHost, run } from './recording-host.ts';

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'glasshouse-test-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const init = (line: string) => run(line, {}, recordingHost({ cwd }));

describe('init', () => {
  it('writes a configuration that loads and is valid', async () => {
    expect(await init('init')).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('Wrote glasshouse.config.ts') as string,
    });
    const mirror = await loadConfigFile(join(cwd, 'glasshouse.config.ts'));
    expect(mirror).toMatchObject({
      name: 'shop',
      source: { kind: 'embedded', port: 8000 },
      tables: [{ name: 'orders', from: 'Orders' }],
      targets: { lakehouse: true, warehouse: { url: null } },
    });
  });

  it('writes over nothing without --force', async () => {
    await init('init');
    const path = join(cwd, 'glasshouse.config.ts');
    expect(await init('init')).toMatchObject({
      code: 2,
      err: `error: ${path} is there already; write over it with --force, or choose another name with --config.\n`,
    });
    expect(await init('init --force --json')).toMatchObject({ code: 0, out: `${JSON.stringify({ path })}\n` });
  });

  it("holds lines for AWS and for a warehouse of one's own that are right once they are used", async () => {
    await init('init --config aws.config.ts');
    const template = await readFile(join(cwd, 'aws.config.ts'), 'utf8');
    const used = template
      .replace(/^ *source: .*$/m, '')
      .replace(/^ *warehouse: true,$/m, '')
      .replace(/^( *)\/\/ (source: |ttl: |maxColumns: )/gm, '$1$2')
      .replace('// warehouse: { url: process.env.WAREHOUSE_URL', "warehouse: { url: 'postgres://me@db/shop'");
    await writeFile(join(cwd, 'aws.config.ts'), used);
    expect(await loadConfigFile(join(cwd, 'aws.config.ts'))).toMatchObject({
      source: { kind: 'aws', region: 'eu-central-1' },
      tables: [{ ttl: 'expires_at', maxColumns: 500 }],
      targets: { warehouse: { url: 'postgres://me@db/shop', schema: 'public' } },
    });
  });
});

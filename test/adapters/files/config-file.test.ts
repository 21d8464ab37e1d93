import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findConfigFile, loadConfigFile } from '../../../adapters/files/config-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glasshouse-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const MIRROR = `{ name: 'shop', tables: { orders: {} }, targets: { lakehouse: true } }`;

describe('loadConfigFile', () => {
  it('loads TypeScript from a folder without node_modules, with what it imports', async () => {
    await write('tables.ts', `export const tables: Record<string, object> = { orders: { from: 'Orders' } };`);
    const path = await write(
      'glasshouse.config.ts',
      `import { defineMirror } from 'glasshouse';
       import { tables } from './tables.ts';
       export default defineMirror({ name: 'shop', tables, targets: { lakehouse: true } });`,
    );
    expect(findConfigFile(folder)).toBe(path);
    const mirror = await loadConfigFile(path);
    expect(mirror.tables.map((table) => table.from)).toEqual(['Orders']);
  });

  it.each(['glasshouse.config.mjs', 'glasshouse.config.js'])('loads %s', async (name) => {
    const path = await write(name, `export default ${MIRROR};`);
    expect(findConfigFile(folder)).toBe(path);
    expect((await loadConfigFile(path)).name).toBe('shop');
  });

  it('lets the configuration know where it is, and load from there', async () => {
    await write('name.json', '{ "name": "from_json" }');
    const path = await write(
      'glasshouse.config.ts',
      `import { readFileSync } from 'node:fs';
       const { name } = JSON.parse(readFileSync(new URL('name.json', import.meta.url), 'utf8'));
       export default { ...${MIRROR}, name };`,
    );
    expect((await loadConfigFile(path)).name).toBe('from_json');
  });

  it('loads a file again after it has changed', async () => {
    const path = await write('glasshouse.config.ts', `export default ${MIRROR};`);
    await loadConfigFile(path);
    await write('glasshouse.config.ts', `export default { ...${MIRROR}, name: 'other' };`);
    expect((await loadConfigFile(path)).name).toBe('other');
  });

  it('says what to do where there is none', async () => {
    expect(findConfigFile(folder)).toBeNull();
    const path = join(folder, 'glasshouse.config.ts');
    await expect(loadConfigFile(path)).rejects.toMatchObject({
      code: 'config',
      message: `There is no ${path}; run \`glasshouse init\` to write one, or name another with --config PATH.`,
    });
  });

  it('gives the place of a syntax error', async () => {
    const path = await write('glasshouse.config.ts', `const mirror = {\n  name: 'shop',,\n};\nexport default mirror;`);
    await expect(loadConfigFile(path)).rejects.toMatchObject({
      code: 'config',
      message: `${path} cannot be compiled:\n  ${path}:2:16: Expected identifier but found ","`,
    });
  });

  it('gives the place of an import that is not there', async () => {
    const path = await write('glasshouse.config.ts', `import { x } from './missing.ts';\nexport default x;`);
    await expect(loadConfigFile(path)).rejects.toMatchObject({
      code: 'config',
      message: `${path} cannot be compiled:\n  ${path}:1:19: Could not resolve "./missing.ts"`,
    });
  });

  it('says that the default export is missing', async () => {
    const path = await write('glasshouse.config.ts', `export const mirror = ${MIRROR};`);
    await expect(loadConfigFile(path)).rejects.toMatchObject({
      code: 'config',
      message: `${path} has no default export; end it with \`export default defineMirror({ ... })\`.`,
    });
  });

  it('passes on what the configuration throws', async () => {
    const path = await write(
      'glasshouse.config.ts',
      `\nthrow new Error('WAREHOUSE_URL is not set');\nexport default {};`,
    );
    await expect(loadConfigFile(path)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/ threw while it was loaded.*: WAREHOUSE_URL is not set$/) as string,
    });
  });

  it('names the file of a configuration that is not valid', async () => {
    const path = await write('glasshouse.config.ts', `export default { ...${MIRROR}, name: 'Shop' };`);
    await expect(loadConfigFile(path)).rejects.toThrow(`${path} has a mistake:\n  name: "Shop" must be lower_snake`);
  });

  it('leaves nothing behind', async () => {
    const path = await write('glasshouse.config.ts', `export default ${MIRROR};`);
    const temporary = join(folder, 'tmp');
    await mkdir(temporary);
    vi.stubEnv('TMPDIR', temporary);
    await loadConfigFile(path);
    vi.unstubAllEnvs();
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('the examples', () => {
  it.each(['shop', 'aws'])('examples/%s is a valid configuration', async (name) => {
    const mirror = await loadConfigFile(join(import.meta.dirname, '../../../examples', name, 'glasshouse.config.ts'));
    expect(mirror.name).toBe('shop');
  });
});

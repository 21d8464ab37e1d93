import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../adapters/files/config-file.ts';
import { validateMirror } from '../../core/config.ts';
import { emptyBundles, resourcesOf, templatesOf } from '../support/deployment.ts';
import { configText, throwawayConfig, throwawayName } from './throwaway-mirror.ts';

const bundles = emptyBundles();
const folder = mkdtempSync(join(tmpdir(), 'glasshouse-throwaway-'));
afterAll(() => {
  rmSync(bundles, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

const place = { name: throwawayName('0a1b2c3d'), region: 'eu-central-1' };

describe.each([true, false])('the throw-away mirror, with the lakehouse alone: %s', (isLakehouseOnly) => {
  const config = throwawayConfig({ ...place, isLakehouseOnly });

  it('is written as a file that the CDK app reads', async () => {
    const path = join(folder, `${String(isLakehouseOnly)}.mjs`);
    writeFileSync(path, configText(config));
    expect((await loadConfig(path)).mirror).toEqual(validateMirror(config));
  });

  it('keeps nothing that holds data when it is destroyed', () => {
    const { templates } = templatesOf(config, bundles);
    expect('Warehouse' in templates).toBe(!isLakehouseOnly);
    const kept = Object.values(templates)
      .flatMap((template) => resourcesOf(template))
      .filter((resource) => resource.deletionPolicy?.startsWith('Retain') === true);
    expect(kept.map(({ type, id }) => `${type} ${id}`)).toEqual([]);
  });
});

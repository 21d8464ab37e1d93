import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../adapters/files/config-file.ts';
import { emptyBundles, templatesOf } from '../support/deployment.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

let bundles: string;
beforeAll(() => void (bundles = emptyBundles()));
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

it.each([
  ['aws', ['Capture', 'Control', 'Lakehouse', 'Monitoring', 'Warehouse']],
  ['aws-lakehouse', ['Capture', 'Control', 'Lakehouse', 'Monitoring']],
  ['aws-warehouse', ['Capture', 'Control', 'Monitoring', 'Warehouse']],
])('the example %s is deployable', async (name, stacks) => {
  const { config } = await loadConfig(join(EXAMPLES, name, 'glasshouse.config.ts'));
  expect(Object.keys(templatesOf(config, bundles).templates).sort()).toEqual(stacks);
});

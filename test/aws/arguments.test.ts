import { expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';

it('asks first, tests both targets and leaves nothing, unless it is told otherwise', () => {
  const asked = { isAgreed: false, isLakehouseOnly: false, isKept: false, region: null };
  expect(parseArguments([])).toEqual(asked);
  expect(parseArguments(['--yes', '--lakehouse-only', '--keep', '--region', 'eu-west-1'])).toEqual({
    isAgreed: true,
    isLakehouseOnly: true,
    isKept: true,
    region: 'eu-west-1',
  });
  expect(parseArguments(['--yes', '--help'])).toBeNull();
});

it.each([[['--force']], [['shop']], [['--region']]])('refuses %j and tells what there is', (args) => {
  expect(() => parseArguments(args)).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  expect(() => parseArguments(args)).toThrow('--lakehouse-only');
});

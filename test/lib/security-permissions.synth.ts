import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUNCTION_ROLES } from '../../core/contract.ts';
import { ACCOUNT, REGION } from '../support/deployed-world.ts';
import { emptyBundles } from '../support/deployment.ts';
import { callsOf } from '../support/function-calls.ts';
import type { Deployed } from '../support/function-needs.ts';
import { CALLS, needsOf, shortName } from '../support/function-needs.ts';
import { VARIANT_NAMES, synthesise } from '../support/mirror-variants.ts';
import type { Variant } from '../support/mirror-variants.ts';
import { allows, lineOf, permissionsOf } from '../support/role-permissions.ts';

function functionsOf(variant: Variant): Deployed[] {
  const { resources } = variant;
  const keyId = resources.find(({ type }) => type === 'AWS::KMS::Key')?.id ?? '';
  return resources.flatMap(({ type, stack, properties }) => {
    const name = String(properties.FunctionName);
    const role = FUNCTION_ROLES.find((one) => new RegExp(`-${one}$`).test(name));
    if (type !== 'AWS::Lambda::Function' || role === undefined) return [];
    const { Variables: env } = properties.Environment as { Variables: Readonly<Record<string, string>> };
    const roleId = String(properties.Role).split('/').at(-1) ?? '';
    const permissions = permissionsOf(resources, roleId, stack);
    return [{ role, name, env, permissions, variant, keyArn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${keyId}` }];
  });
}

let bundles: string;
beforeAll(() => void (bundles = emptyBundles()));
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

it.each(FUNCTION_ROLES)('the calls that the bundle of %s can make are the ones that this test knows', async (role) => {
  const functions = Object.keys(CALLS).filter((name) => name === role || name.endsWith(`-${role}`));
  const calls = await callsOf(role);
  expect(calls.length).toBeGreaterThan(0);
  for (const name of functions) expect(Object.keys(CALLS[name] ?? {}).sort()).toEqual(calls);
});

describe.each(VARIANT_NAMES)('with %s', (name) => {
  let functions: Deployed[];
  beforeAll(() => void (functions = functionsOf(synthesise(name, bundles))));

  it('there are the functions of its targets', () => {
    const { lakehouse, warehouse } = functions[0]?.variant.mirror.targets ?? {};
    const expected = [
      ...['capture', 'capture', 'redrive', 'registrar'],
      ...(lakehouse ? ['lake-registrar', 'merge'] : []),
      ...(warehouse ? ['load'] : []),
    ];
    expect(functions.map(shortName).sort()).toEqual(expected.sort());
  });

  it('every call that a function makes is allowed by its role', () => {
    const refused = functions.flatMap((fn) =>
      needsOf(fn)
        .filter((need) => !fn.permissions.some((permission) => allows(permission, need)))
        .map((need) => `${fn.name}: ${lineOf(need)}`),
    );
    expect(refused).toEqual([]);
  });

  it('everything that a role allows is used by a call', () => {
    const idle = functions.flatMap((fn) => {
      const needs = needsOf(fn);
      return fn.permissions
        .filter((permission) => !needs.some((need) => allows(permission, need)))
        .map((permission) => `${fn.name}: ${lineOf(permission)}`);
    });
    expect(idle).toEqual([]);
  });
});

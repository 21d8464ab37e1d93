import { describe, expect, it } from 'vitest';
import { ENVIRONMENT, FUNCTION_ROLES } from '../../core/contract.ts';
import { readEnvironment, wholeNumberOf } from '../../core/environment.ts';

describe.each(FUNCTION_ROLES)('the environment of %s', (role) => {
  const names: readonly string[] = ENVIRONMENT[role];
  const whole = Object.fromEntries(names.map((name) => [name, `value of ${name}`]));

  it('is each of its variables and no other', () => {
    expect(readEnvironment(role, { ...whole, AWS_REGION: 'eu-central-1' })).toEqual(whole);
  });

  it('names every variable that is missing, and the remedy', () => {
    const [first = '', second = '', ...rest] = names;
    const without = Object.fromEntries(rest.map((name) => [name, 'there']));
    expect(() => readEnvironment(role, without)).toThrow(
      `The ${role} function lacks the environment variables ${first}, ${second}. Deploy the mirror again with \`cdk deploy\``,
    );
  });

  it('does not take an empty mirror name', () => {
    expect(() => readEnvironment(role, { ...whole, MIRROR: '' })).toThrow(/lacks the environment variable MIRROR\./);
  });
});

it('a target that is not there has an empty variable', () => {
  const names: readonly string[] = ENVIRONMENT.capture;
  const env = Object.fromEntries(names.map((name) => [name, name === 'WAREHOUSE_STREAM' ? '' : 'x']));
  expect(readEnvironment('capture', env).WAREHOUSE_STREAM).toBe('');
});

it('a whole number is read exactly or refused', () => {
  expect(wholeNumberOf('MAX_COLUMNS', '500', 1)).toBe(500);
  for (const value of ['', '0', '-1', '1.5', '1e3', 'many', '9'.repeat(16)])
    expect(() => wholeNumberOf('MAX_COLUMNS', value, 1)).toThrow('The environment variable MAX_COLUMNS is');
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALL_CHECKS } from './checks/all-checks.ts';
import { CAPTURE_CHECKS } from './checks/capture-checks.ts';
import { LOAD_CHECKS } from './checks/load-checks.ts';
import { MERGE_CHECKS } from './checks/merge-checks.ts';
import { OPERATIONS_CHECKS } from './checks/operations-checks.ts';
import { PERMISSION_CHECKS } from './checks/permission-checks.ts';
import { REGISTRAR_CHECKS } from './checks/registrar-checks.ts';
import { STACKS_CHECKS } from './checks/stacks-checks.ts';
import { claimsOf } from './claims.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/unverified.md'), 'utf8');
const ids = claimsOf(DOCUMENT).map(({ id }) => id);

describe('docs/unverified.md', () => {
  it('has a check for each claim, and a claim for each check', () => {
    expect([...ids].sort()).toEqual(Object.keys(ALL_CHECKS).sort());
  });

  it('gives each claim an id of its own', () => {
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    const parts = [CAPTURE_CHECKS, REGISTRAR_CHECKS, MERGE_CHECKS, LOAD_CHECKS, OPERATIONS_CHECKS, STACKS_CHECKS];
    const counted = [...parts, PERMISSION_CHECKS].reduce((sum, part) => sum + Object.keys(part).length, 0);
    expect(counted).toBe(Object.keys(ALL_CHECKS).length);
  });

  it('has no row that is not read', () => {
    const rows = DOCUMENT.split('\n').filter((line) => line.startsWith('|') && !/^\| id \||^\|-/.test(line));
    expect(rows).toHaveLength(ids.length);
  });

  it('says of a claim that the script cannot settle that it is settled by hand', () => {
    const rows = new Map(
      DOCUMENT.split('\n').flatMap((line) => {
        const id = /^\| `([^`]+)`/.exec(line)?.[1];
        return id === undefined ? [] : [[id, line]];
      }),
    );
    const byHand = Object.entries(ALL_CHECKS).flatMap(([id, check]) => (check.kind === 'by-hand' ? [id] : []));
    expect(byHand.filter((id) => !rows.get(id)?.split(' | ').at(-1)?.startsWith('by hand'))).toEqual([]);
    const told = ids.filter((id) => rows.get(id)?.split(' | ').at(-1)?.startsWith('by hand'));
    expect(told).toEqual(ids.filter((id) => byHand.includes(id)));
  });
});

it('claimsOf reads rows of tables alone', () => {
  const text = '# Title\n| id | claim |\n|---|---|\n| `a-1` | One `two`. | three | four |\nText | `b` | c |';
  expect(claimsOf(text)).toEqual([{ id: 'a-1', claim: 'One `two`.' }]);
});

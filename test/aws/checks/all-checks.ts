import { CAPTURE_CHECKS } from './capture-checks.ts';
import type { Check } from './check.ts';
import { LOAD_CHECKS } from './load-checks.ts';
import { MERGE_CHECKS } from './merge-checks.ts';
import { OPERATIONS_CHECKS } from './operations-checks.ts';
import { PERMISSION_CHECKS } from './permission-checks.ts';
import { REGISTRAR_CHECKS } from './registrar-checks.ts';
import { STACKS_CHECKS } from './stacks-checks.ts';

/** How each claim of docs/unverified.md is settled, by its id. */
export const ALL_CHECKS: Readonly<Record<string, Check>> = {
  ...CAPTURE_CHECKS,
  ...REGISTRAR_CHECKS,
  ...MERGE_CHECKS,
  ...LOAD_CHECKS,
  ...OPERATIONS_CHECKS,
  ...STACKS_CHECKS,
  ...PERMISSION_CHECKS,
};

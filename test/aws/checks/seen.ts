import type { TargetName, TargetStatus } from '../../../deployed/results.ts';
import type { SpecialRow } from '../source-changes.ts';
import { specialKey } from '../source-changes.ts';
import type { World } from '../world.ts';
import type { Check, Verdict } from './check.ts';
import { broken, holds, looks, open, verdictOf } from './check.ts';

/** What is settled by the run itself: the deploy, the first changes, and the proof. */

/** A claim that the deploy would have failed without. */
export function byDeploy(what: string): Check {
  return looks(() => holds(`The deploy went through: ${what}`));
}

/** A claim without which nothing would have arrived in a target. */
export function byArrival(target: TargetName, what: string): Check {
  return looks((world) => {
    const status = targetOf(world, target);
    if (status === null) return open(`This mirror has no ${target}.`);
    const { changes, errorObjects } = status;
    const found = `${changes} of ${world.seen.written} changes were taken in, ${errorObjects} objects not delivered.`;
    return verdictOf(changes >= world.seen.written && errorObjects === 0, `${found} ${what}`);
  });
}

/** A claim that some rows would differ without. */
export function byRows(target: TargetName, rows: readonly SpecialRow[]): Check {
  return looks((world) => rowsVerdict(world, target, rows));
}

function rowsVerdict({ seen: { verified }, table }: World, target: TargetName, rows: readonly SpecialRow[]): Verdict {
  const report = verified.tables.find((one) => one.table === table.name)?.targets[target];
  if (report === undefined) return open(`This mirror has no ${target}.`);
  const keys = new Set(rows.map(specialKey));
  const differing = verified.differences.filter((one) => one.target === target && keys.has(one.key));
  const names = rows.join(', ');
  if (differing.length > 0) {
    const columns = differing.flatMap((one) => one.columns.map(({ column }) => column));
    return broken(`Verify tells ${names} as not equal in the ${target} (${columns.join(', ')}).`);
  }
  // Only the first differences are named: these rows may be among the others.
  if (report.differences > verified.differences.length) return open('Too many rows differ to tell which.');
  return holds(`Verify found ${names} equal in the ${target}.`);
}

export function targetOf({ seen: { status }, table }: World, target: TargetName): TargetStatus | null {
  return status.tables.find((one) => one.table === table.name)?.targets[target] ?? null;
}

/** A claim that `doctor` would have said `unknown` about. */
export function byDoctor(what: string): Check {
  return looks(({ seen: { doctor } }) => {
    const found = doctor.checks.find((check) => check.what === what);
    if (found === undefined) return open(`doctor did not look at ${what}.`);
    return verdictOf(found.verdict !== 'unknown', `doctor on ${what}: ${found.verdict}, ${found.found}`);
  });
}

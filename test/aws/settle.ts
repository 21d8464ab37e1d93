import { messageOf } from '../../core/errors.ts';
import type { Check, Verdict } from './checks/check.ts';
import type { World } from './world.ts';

export interface Settled extends Verdict {
  readonly id: string;
}

/**
 * Goes through checks one after the other: those that change nothing first, then those that break something and mend it. A
 * check that fails settles nothing, and the others go on; what was begun after a stop is not begun. A check that stands for
 * two claims is made once.
 */
export async function settle(
  checks: Readonly<Record<string, Check>>,
  world: World,
  log: (line: string) => void,
): Promise<Settled[]> {
  const found = new Map<string, Verdict>();
  const made = new Map<Check['look'], Verdict>();
  const quiet = Object.entries(checks).filter(([, check]) => check.kind !== 'disturbs');
  const disturbing = Object.entries(checks).filter(([, check]) => check.kind === 'disturbs');
  for (const [id, check] of [...quiet, ...disturbing]) {
    if (check.kind === 'disturbs') log(`… ${id}`);
    const verdict = made.get(check.look) ?? (await verdictFor(check, world));
    made.set(check.look, verdict);
    found.set(id, verdict);
    log(settledLine({ id, ...verdict }));
  }
  return Object.keys(checks).flatMap((id) => {
    const verdict = found.get(id);
    return verdict === undefined ? [] : [{ id, ...verdict }];
  });
}

async function verdictFor(check: Check, world: World): Promise<Verdict> {
  if (world.signal.aborted && check.kind !== 'by-hand')
    return { verdict: 'open', how: 'The test was stopped before it.' };
  try {
    return await check.look(world);
  } catch (thrown) {
    return { verdict: 'open', how: `The check itself failed: ${messageOf(thrown)}` };
  }
}

/** `settled: yes  glue-field-ids  holds: …` */
export function settledLine({ id, verdict, how }: Settled): string {
  switch (verdict) {
    case 'holds':
      return `settled: yes  ${id}  holds: ${how}`;
    case 'broken':
      return `settled: yes  ${id}  DOES NOT HOLD: ${how}`;
    case 'open':
      return `settled: no   ${id}  ${how}`;
  }
}

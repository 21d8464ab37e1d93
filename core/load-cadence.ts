/** What a wake-up of Redshift Serverless is billed for at least, in seconds. */
export const LEAST_BILLED_SECONDS = 60;

const DAY_MS = 86_400_000;

/** What the decision to load now or later is made from. Times are epoch milliseconds. */
export interface LoadQuestion {
  /** Staged objects that nobody has taken yet, or about as many. */
  readonly waiting: number;
  /** The longest that any of them can have waited since. */
  readonly oldestWaitingAtMillis: number;
  /** When a load was last submitted; null where none is remembered. */
  readonly lastLoadAtMillis: number | null;
  /** Up to when the warehouse is paid for already, since it was woken: loading until then costs nothing. */
  readonly awakeUntilMillis: number;
  readonly spentTodayUsd: number;
  /** How old what a reader sees may be. */
  readonly objectiveSeconds: number;
  readonly dailyBudgetUsd: number;
  /** What one wake-up costs: 0 for a provisioned cluster, which is always awake. */
  readonly wakeUpUsd: number;
  readonly nowMillis: number;
}

export type LoadDecision =
  | { readonly load: true }
  | {
      readonly load: false;
      /** When to look again; Infinity where something must come first. */
      readonly untilMillis: number;
      readonly reason: 'nothing waits' | 'the objective allows it' | 'the budget asks for it';
    };

/** What one wake-up of a workgroup of this base capacity costs, in US dollars. */
export function wakeUpCost(baseCapacity: number, rpuHourUsd: number): number {
  return costOf(LEAST_BILLED_SECONDS, baseCapacity, rpuHourUsd);
}

/** How far apart, in seconds, the wake-ups are that a day's budget pays for when they are spread evenly; 0 where waking costs nothing. */
export function secondsBetweenWakeUps(wakeUpUsd: number, dailyBudgetUsd: number): number {
  return (DAY_SECONDS * wakeUpUsd) / dailyBudgetUsd;
}

const DAY_SECONDS = 86_400;

/** What so many billed seconds of a workgroup cost, in US dollars. */
export function costOf(billedSeconds: number, baseCapacity: number, rpuHourUsd: number): number {
  return (billedSeconds * baseCapacity * rpuHourUsd) / 3600;
}

/**
 * Whether to load now. What is paid for already is used at once. Otherwise half of the freshness objective is spent
 * waiting for more to come, and the other half is left for staging and for the load itself. Where waking costs, the wake-ups that the
 * rest of the day's budget pays for are spread evenly over the rest of the day (UTC): so the interval stretches as the
 * budget is used, and it lasts till midnight. The first wake-up of a day is always granted, whatever the budget.
 */
export function decideLoad(question: LoadQuestion): LoadDecision {
  const { nowMillis } = question;
  if (question.waiting <= 0) return { load: false, untilMillis: Infinity, reason: 'nothing waits' };
  if (question.wakeUpUsd > 0 && nowMillis < question.awakeUntilMillis) return { load: true };
  const wanted = question.oldestWaitingAtMillis + question.objectiveSeconds * 500;
  const afforded = affordedAt(question);
  const untilMillis = Math.max(wanted, afforded);
  if (nowMillis >= untilMillis) return { load: true };
  return {
    load: false,
    untilMillis,
    reason: afforded > wanted ? 'the budget asks for it' : 'the objective allows it',
  };
}

/** When the budget allows the next wake-up: of the n that are left, the first of n + 1 equal gaps from the last load to midnight. */
function affordedAt(question: LoadQuestion): number {
  const { wakeUpUsd, spentTodayUsd, dailyBudgetUsd, lastLoadAtMillis, nowMillis } = question;
  if (wakeUpUsd <= 0) return -Infinity;
  // Rounding must not cost a wake-up that is paid for.
  const left = Math.floor((dailyBudgetUsd - spentTodayUsd) / wakeUpUsd + 1e-9);
  const wakeUps = spentTodayUsd === 0 ? Math.max(1, left) : left;
  const midnight = (Math.floor(nowMillis / DAY_MS) + 1) * DAY_MS;
  if (wakeUps < 1) return midnight;
  if (lastLoadAtMillis === null) return -Infinity;
  // A clock that jumped back must not put the next load off.
  const last = Math.min(lastLoadAtMillis, nowMillis);
  return last + (midnight - last) / (wakeUps + 1);
}

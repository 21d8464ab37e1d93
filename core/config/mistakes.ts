import type { z } from 'zod';

const PLAIN_KEY = /^[A-Za-z_$][A-Za-z0-9_$]*$/;
const LONGEST_VALUE = 80;

/** One line for each mistake: its path, its value, what is wrong, and what to write instead. */
export function mistakesOf(issues: readonly z.core.$ZodIssue[], raw: unknown): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'invalid_key') return [`${pathText(issue.path)}: the name ${issue.message}`];
    if (issue.code !== 'unrecognized_keys') return [mistake(issue.path, raw, issue.message)];
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => mistake([...issue.path, key], raw, messages[index] ?? issue.message));
  });
}

function mistake(path: readonly PropertyKey[], raw: unknown, message: string): string {
  const value = valueAt(raw, path);
  const where = path.length === 0 ? 'the configuration' : pathText(path);
  if (value !== undefined) return `${where}: ${valueText(value)} ${message}`;
  const remedy = message.replace(/^is [^;]*; /, '');
  return `${where}: is missing; ${remedy.startsWith('write') ? remedy : `it ${remedy}`}`;
}

/** `tables.orders.columns["line items"]`: as one would write it in code. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) =>
      PLAIN_KEY.test(String(key)) ? `${index === 0 ? '' : '.'}${String(key)}` : `[${JSON.stringify(String(key))}]`,
    )
    .join('');
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (isObject(value) ? (value as Record<PropertyKey, unknown>)[key] : undefined),
    raw,
  );
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** The value as code, cut where it is long, and without the password of a URL. */
function valueText(value: unknown): string {
  const text =
    typeof value === 'function'
      ? 'a function'
      : typeof value === 'bigint'
        ? `${value}n`
        : ((JSON.stringify(value) as string | undefined) ?? String(value));
  const safe = text.replace(/(:\/\/[^:@/"]*):[^@"]*@/g, '$1:***@');
  return safe.length <= LONGEST_VALUE ? safe : `${safe.slice(0, LONGEST_VALUE - 1)}…`;
}

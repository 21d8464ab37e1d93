/** Instants as text `YYYY-MM-DD HH:MM:SS.ffffff` in UTC, and as epoch microseconds. Pure: no clock is read. */

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const EPOCH = /^(-?\d{1,16})(?:\.(\d{1,6}))?$/;

/** Numbers below this many are epoch seconds (until the year 5138), others milliseconds (since March 1973). */
const SECONDS_BELOW = 100_000_000_000;

const MICROS_PER_DAY = 86_400_000_000;
// As bigints: a double cannot tell the last microsecond of the year 9999 from the first of the next.
const MIN_MICROS = BigInt(microsOfParts(1, 1, 1));
const MAX_MICROS = BigInt(microsOfParts(9999, 12, 31) + MICROS_PER_DAY) - 1n;

function microsOfParts(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() * 1000;
}

/** Epoch microseconds of an ISO 8601 date or date-time (UTC where it names no zone); null where it is none, or finer than a microsecond. */
export function microsOfIso(text: string): bigint | null {
  const parts = ISO.exec(text);
  if (!parts) return null;
  const fraction = (parts[7] ?? '').padEnd(9, '0');
  if (!fraction.endsWith('000')) return null;
  const day = dayOf(text.slice(0, 10));
  const [hour, minute, second] = [Number(parts[4] ?? 0), Number(parts[5] ?? 0), Number(parts[6] ?? 0)];
  const zone = zoneSeconds(parts[8]);
  if (day === null || zone === null || hour > 23 || minute > 59 || second > 59) return null;
  const seconds = day * 86_400 + hour * 3600 + minute * 60 + second - zone;
  return inRange(BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6)));
}

function zoneSeconds(zone: string | undefined): number | null {
  if (zone === undefined || zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return null;
  const size = hours * 3600 + minutes * 60;
  return zone.startsWith('-') ? -size : size;
}

/** Epoch microseconds of a canonical number of epoch seconds (a fraction to the microsecond) or milliseconds (whole); null where it is neither. */
export function microsOfEpoch(canonical: string): bigint | null {
  const parts = EPOCH.exec(canonical);
  if (!parts) return null;
  const whole = BigInt(parts[1] ?? '0');
  const fraction = parts[2];
  const isSeconds = whole > -SECONDS_BELOW && whole < SECONDS_BELOW;
  if (!isSeconds) return fraction === undefined ? inRange(whole * 1000n) : null;
  const micros = BigInt((fraction ?? '').padEnd(6, '0'));
  return inRange(whole * 1_000_000n + (canonical.startsWith('-') ? -micros : micros));
}

function inRange(micros: bigint): bigint | null {
  return micros >= MIN_MICROS && micros <= MAX_MICROS ? micros : null;
}

/** Days since 1970-01-01 of `YYYY-MM-DD`, or null where there is no such day. */
export function dayOf(text: string): number | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!parts) return null;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  if (year < 1) return null;
  const micros = microsOfParts(year, month, day);
  return new Date(micros / 1000).getUTCDate() === day && month >= 1 && month <= 12 ? micros / MICROS_PER_DAY : null;
}

/** `2026-11-22` for a number of days since 1970-01-01. */
export function dayText(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}

/** `2026-11-22 19:50:03.123456` for epoch microseconds: sorts as time does, and every engine casts it. */
export function instantText(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const iso = new Date(Number((micros - rest) / 1000n)).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}${rest.toString().padStart(3, '0')}`;
}

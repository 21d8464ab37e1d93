/** How numbers are written for people. The same everywhere and in every locale: tests and diffs rely on it. */

/** `1,234,567`; whole numbers. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 row`, `2 rows`. */
export function countOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${countText(count)} ${count === 1 ? singular : plural}`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `12.3 MB`, in powers of 1,000. */
export function bytesText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  // From 999.95 on, one decimal would be written as 1000.0.
  while (amount >= (unit === 0 ? 1000 : 999.95) && unit < BYTE_UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${BYTE_UNITS[unit] ?? 'B'}`;
}

/** `45 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`, from milliseconds. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `41,210/s`. */
export function rateText(perSecond: number): string {
  return `${countText(perSecond)}/s`;
}

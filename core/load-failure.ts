/** What a failed load means for the next try. */
export type LoadFailureKind =
  | 'passing' // another transaction was in the way, or the warehouse was away: the same again
  | 'setting' // a right, a role or the disk is wrong: the same again, when somebody has seen to it
  | 'data' // something staged cannot be loaded: the same again would fail again
  | 'unknown'; // nobody has classified it

/** In this order: an S3 error that denies access is said to be a load error too. */
const KIND_BY_WORDS: readonly (readonly [LoadFailureKind, RegExp])[] = [
  // Of a manifest, every object is mandatory; one that is gone stays gone.
  ['data', /S3 prefix .{0,1100} does not exist|mandatory file|NoSuchKey|specified key does not exist/is],
  [
    'passing',
    /\b1023\b|serializable isolation|concurrent transaction|could not open relation with OID|\b1018\b|deadlock|connection (?:reset|refused|timed out|to .{0,80} failed)|could not connect|server closed|terminat(?:ed|ing) connection|is (?:being )?(?:resized?|restarted|resumed|resuming|paused|pausing)|not available|cancel(?:led|ed) on user|aborted by user|query timeout|statement timeout|system shutdown/i,
  ],
  [
    'setting',
    /permission denied|must be owner|insufficient privilege|not authorized|access ?denied|UnauthorizedException|S3ServiceException|assume role|IAM role|does not exist|disk full|out of disk|quota|cross-region|invalid credential/i,
  ],
  [
    'data',
    /load into table|stl_load_errors|sys_load_error_detail|invalid (?:input|digit|json|value|character|timestamp|date)|cannot cast|cast|overflow|out of range|value too long|not-null|null value|invalid byte|numeric|malformed|exceeds|parse|unterminated/i,
  ],
];

/** Classifies the warehouse's message for a statement that failed. */
export function loadFailureKind(message: string): LoadFailureKind {
  return KIND_BY_WORDS.find(([, words]) => words.test(message))?.[0] ?? 'unknown';
}

/** After so many failures, what nobody has classified is suspected, and what is not allowed no longer waited for. */
const PATIENT_TRIES = 3;
const FIRST_DELAY_MS = 15_000;
const LONGEST_DELAY_MS = 15 * 60_000;
/** Somebody must see to it first, and each return to the queue brings a message nearer to the dead ones. */
const SETTING_DELAY_MS = 60 * 60_000;

export type AfterFailure =
  /** The same load again, once `retryDelayMs` is over. */
  | { readonly next: 'again' }
  /** The load is given up: the suspects' messages go back to the queue and show up after the delay, the other tables are loaded without them. */
  | { readonly next: 'divide'; readonly suspects: readonly string[]; readonly delayMs: number };

/**
 * What to do after a load has failed for the `attempts`th time. `tables` are the load's, `failed` is the one whose statement
 * failed (null where that is not known, or was none's). One table never holds up the others for long.
 */
export function afterFailure(
  kind: LoadFailureKind,
  attempts: number,
  tables: readonly string[],
  failed: string | null,
): AfterFailure {
  if (kind === 'data' || (kind === 'unknown' && attempts >= PATIENT_TRIES)) {
    return { next: 'divide', suspects: failed === null ? tables : [failed], delayMs: FIRST_DELAY_MS };
  }
  if (kind === 'setting' && failed !== null && (tables.length > 1 || attempts >= PATIENT_TRIES)) {
    return { next: 'divide', suspects: [failed], delayMs: SETTING_DELAY_MS };
  }
  return { next: 'again' };
}

/** How long to wait after a load has failed so often (from 1), in milliseconds. */
export function retryDelayMs(attempts: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 20));
}

import pg from 'pg';
import type { ErrorCode } from '../../core/errors.ts';
import { GlasshouseError, messageOf } from '../../core/errors.ts';

/** What we make of a class or a code of SQLSTATE, and what a user can do about it. The longest prefix counts. */
const MEANINGS: readonly { readonly state: string; readonly code: ErrorCode; readonly remedy: string }[] = [
  { state: '28', code: 'config', remedy: 'Check the user and password in the URL of the warehouse.' },
  { state: '3D000', code: 'config', remedy: 'Create the database, or name another in the URL of the warehouse.' },
  { state: '42501', code: 'config', remedy: 'Grant the role of the warehouse the right to create schemas and tables.' },
  { state: '53100', code: 'unavailable', remedy: 'Its disk is full: free some space; nothing was lost.' },
  {
    state: '53300',
    code: 'unavailable',
    remedy: 'It has no connection left for us: close some, or raise max_connections.',
  },
  {
    state: '54',
    code: 'config',
    remedy:
      'A row is wider than PostgreSQL takes (some 8 KB besides what it keeps apart): lower maxColumns of the table.',
  },
  { state: '55P03', code: 'conflict', remedy: 'Another process is loading this table; let one of the two finish.' },
  { state: '25006', code: 'usage', remedy: 'Only reading is allowed here.' },
];

/** The address of a warehouse as messages name it: never the password. */
export function addressOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port === '' ? '5432' : port}${pathname}`;
  } catch {
    return 'the URL given';
  }
}

/** Anything that a statement or a connection threw, as an error that says what was done, where, and what to do. */
export function databaseError(thrown: unknown, doing: string, address: string): GlasshouseError {
  if (thrown instanceof GlasshouseError) return thrown;
  if (thrown instanceof TypeError || thrown instanceof RangeError) {
    return new GlasshouseError('bug', `${doing} failed: ${thrown.message}`, { cause: thrown });
  }
  const known = thrown instanceof pg.DatabaseError ? thrown : null;
  const state = known?.code ?? '';
  const meaning = MEANINGS.find((one) => state.startsWith(one.state));
  const prefix = `PostgreSQL at ${address}: ${doing} failed`;
  if (meaning)
    return new GlasshouseError(meaning.code, `${prefix}: ${messageOf(thrown)}. ${meaning.remedy}`, { cause: thrown });
  // Messages about data (22...) quote values of rows, which are not ours to show.
  if (state.startsWith('22')) {
    const column = /column "?(\w+)/.exec(known?.where ?? '')?.[1];
    const where = column === undefined ? '' : ` in column ${column}`;
    return new GlasshouseError('bug', `${prefix}: it refused a value${where} (SQLSTATE ${state}).`, { cause: thrown });
  }
  const remedy = known ? '' : ' It is tried again with the next load; check that the server runs and can be reached.';
  return new GlasshouseError('unavailable', `${prefix}: ${describe(thrown)}.${remedy}`, { cause: thrown });
}

/** A connection to a name with several addresses fails with one error for each, and no message of its own. */
function describe(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(messageOf).join('; ');
  return messageOf(thrown);
}

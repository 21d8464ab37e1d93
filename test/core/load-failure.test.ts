import { describe, expect, it } from 'vitest';
import { afterFailure, loadFailureKind, retryDelayMs } from '../../core/load-failure.ts';

describe('what a failure is taken for', () => {
  it.each([
    [
      'passing',
      'ERROR: 1023 DETAIL: Serializable isolation violation on table - 100, transactions forming the cycle are: 1, 2',
    ],
    ['passing', 'ERROR: could not open relation with OID 4711'],
    ['passing', 'ERROR: deadlock detected'],
    ['passing', "ERROR: Query (12) cancelled on user's request"],
    ['passing', 'Connection to 10.0.0.1:5439 failed'],
    ['setting', 'ERROR: permission denied for schema shop_base'],
    ['setting', 'ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied'],
    [
      'setting',
      'ERROR: User arn:aws:redshift:us-east-1:1:dbuser:a/b is not authorized to assume IAM Role arn:aws:iam::1:role/x',
    ],
    ['setting', 'ERROR: Disk Full'],
    ['setting', 'ERROR: relation "shop_base.orders" does not exist'],
    [
      'data',
      "ERROR: Load into table 'orders__staged' failed.  Check 'sys_load_error_detail' system table for details.",
    ],
    ['data', "ERROR: The specified S3 prefix 'staged/orders/x.gz' does not exist"],
    ['data', 'ERROR: Numeric data overflow (result precision)'],
    ['data', 'ERROR: Cannot insert a NULL value into column _key_hash'],
    ['unknown', 'ERROR: the moon is in the way'],
  ] as const)('%s: %s', (kind, message) => {
    expect(loadFailureKind(message)).toBe(kind);
  });
});

describe('what is done after a failure', () => {
  it('tries what passes for ever, ever more seldom', () => {
    expect(afterFailure('passing', 50, ['a', 'b'], 'a')).toEqual({ next: 'again' });
    expect([1, 2, 3, 20].map(retryDelayMs)).toEqual([15_000, 30_000, 60_000, 900_000]);
  });

  it('suspects the table whose data failed, or all where it is not known which', () => {
    expect(afterFailure('data', 1, ['a', 'b'], 'a')).toMatchObject({ next: 'divide', suspects: ['a'] });
    expect(afterFailure('data', 1, ['a', 'b'], null)).toMatchObject({ next: 'divide', suspects: ['a', 'b'] });
  });

  it('gives what nobody has classified three tries', () => {
    expect(afterFailure('unknown', 2, ['a', 'b'], 'a')).toEqual({ next: 'again' });
    expect(afterFailure('unknown', 3, ['a', 'b'], 'a')).toMatchObject({ next: 'divide', suspects: ['a'] });
  });

  it('lets one table that is not allowed not hold up the others, and waits where all are', () => {
    expect(afterFailure('setting', 1, ['a', 'b'], 'a')).toMatchObject({ next: 'divide', suspects: ['a'] });
    expect(afterFailure('setting', 1, ['a'], 'a')).toEqual({ next: 'again' });
    expect(afterFailure('setting', 3, ['a'], 'a')).toMatchObject({ next: 'divide', suspects: ['a'] });
    expect(afterFailure('setting', 99, ['a', 'b'], null)).toEqual({ next: 'again' });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayOf, dayText, instantText, microsOfEpoch, microsOfIso } from '../../core/instant.ts';

function isoText(text: string): string | null {
  const micros = microsOfIso(text);
  return micros === null ? null : instantText(micros);
}

function epochText(text: string): string | null {
  const micros = microsOfEpoch(text);
  return micros === null ? null : instantText(micros);
}

describe('an instant from ISO text', () => {
  it.each([
    ['2026-11-22', '2026-11-22 00:00:00.000000'],
    ['2026-11-22T19:50Z', '2026-11-22 19:50:00.000000'],
    ['2026-11-22 19:50:03', '2026-11-22 19:50:03.000000'],
    ['2026-11-22T19:50:03.1Z', '2026-11-22 19:50:03.100000'],
    ['2026-11-22T19:50:03.123456', '2026-11-22 19:50:03.123456'],
    ['2026-11-22T19:50:03.123456000Z', '2026-11-22 19:50:03.123456'],
    ['2026-11-22T00:30:00+02:00', '2026-11-21 22:30:00.000000'],
    ['2026-11-22T23:30:00-0130', '2026-11-23 01:00:00.000000'],
    ['2024-02-29T12:00:00Z', '2024-02-29 12:00:00.000000'],
    ['2000-02-29', '2000-02-29 00:00:00.000000'],
    ['1969-12-31T23:59:59.999999Z', '1969-12-31 23:59:59.999999'],
    ['0001-01-01T00:00:00Z', '0001-01-01 00:00:00.000000'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31 23:59:59.999999'],
  ])('%s is %s', (text, instant) => {
    expect(isoText(text)).toBe(instant);
  });

  it.each([
    ['a day that is not', '2026-02-29'],
    ['a leap day of a century', '1900-02-29'],
    ['a month that is not', '2026-13-01'],
    ['the day zero', '2026-01-00'],
    ['the year zero', '0000-01-01'],
    ['an hour that is not', '2026-11-22T24:00:00Z'],
    ['a leap second', '2026-12-31T23:59:60Z'],
    ['finer than a microsecond', '2026-11-22T19:50:03.1234567Z'],
    ['ten digits of a second', '2026-11-22T19:50:03.1234560000Z'],
    ['a zone that is not', '2026-11-22T19:50:03+99:00'],
    ['minutes of a zone that are not', '2026-11-22T19:50:03+01:60'],
    ['before the first year', '0001-01-01T00:00:00+00:01'],
    ['after the last year', '9999-12-31T23:59:00-00:01'],
    ['words', 'yesterday'],
    ['blanks around it', ' 2026-11-22'],
    ['a number', '1790000000'],
    ['nothing', ''],
  ])('%s is none: %j', (_, text) => {
    expect(microsOfIso(text)).toBeNull();
  });
});

describe('an instant from a number', () => {
  it.each([
    ['0', '1970-01-01 00:00:00.000000'],
    ['1790000000', '2026-09-21 14:13:20.000000'],
    ['1790000000.123456', '2026-09-21 14:13:20.123456'],
    ['-0.5', '1969-12-31 23:59:59.500000'],
    ['-1', '1969-12-31 23:59:59.000000'],
    ['99999999999', '5138-11-16 09:46:39.000000'],
    ['100000000000', '1973-03-03 09:46:40.000000'],
    ['1790000000123', '2026-09-21 14:13:20.123000'],
    ['-100000000000', '1966-10-31 14:13:20.000000'],
    ['253402300799999', '9999-12-31 23:59:59.999000'],
  ])('%s is %s', (number, instant) => {
    expect(epochText(number)).toBe(instant);
  });

  it.each(['1790000000.1234567', '1790000000123.5', '253402300800000', '12345678901234567', '1e3', ''])(
    '%s is none',
    (number) => {
      expect(microsOfEpoch(number)).toBeNull();
    },
  );
});

describe('days', () => {
  it('are counted from 1970, leap days among them', () => {
    expect(dayOf('1970-01-01')).toBe(0);
    expect(dayOf('1969-12-31')).toBe(-1);
    expect(dayOf('2000-03-01')).toBe(11_017);
    expect((dayOf('2000-03-01') ?? 0) - (dayOf('2000-02-28') ?? 0)).toBe(2);
    expect((dayOf('1900-03-01') ?? 0) - (dayOf('1900-02-28') ?? 0)).toBe(1);
    for (const text of ['2026-02-30', '2026-00-10', '2026-1-1', '0000-01-01', 'today', '2026-11-22T00:00:00Z'])
      expect(dayOf(text)).toBeNull();
  });

  it('come back as their text, from the first year to the last', () => {
    fc.assert(
      fc.property(fc.integer({ min: dayOf('0001-01-01') ?? 0, max: dayOf('9999-12-31') ?? 0 }), (days) => {
        expect(dayOf(dayText(days))).toBe(days);
      }),
    );
  });
});

const anyMicros = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });

it('an instant’s text gives the instant again', () => {
  fc.assert(
    fc.property(anyMicros, (micros) => {
      expect(microsOfIso(instantText(micros))).toBe(micros);
    }),
  );
});

it('texts of instants sort as the instants do', () => {
  fc.assert(
    fc.property(anyMicros, anyMicros, (a, b) => {
      expect(instantText(a) < instantText(b)).toBe(a < b);
    }),
  );
});

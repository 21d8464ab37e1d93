import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Epoch } from '../../core/version.ts';
import {
  UNKNOWN_EPOCH,
  epochOf,
  epochOfStreamLabel,
  parseStreamArn,
  parseVersion,
  snapshotVersion,
  streamVersion,
} from '../../core/version.ts';

const EPOCH = '20261122195003123' as Epoch;
const ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table';
const anyPosition = fc.bigInt({ min: 0n, max: 10n ** 40n - 1n });
const anyEpoch = fc.constantFrom(EPOCH, '20261122195003124' as Epoch, '20270101000000000' as Epoch);

it('versions sort as their epochs, then as their positions, as text', () => {
  fc.assert(
    fc.property(anyEpoch, anyPosition, anyEpoch, anyPosition, (epochA, a, epochB, b) => {
      const isLess = epochA < epochB || (epochA === epochB && a < b);
      expect(streamVersion(epochA, a.toString()) < streamVersion(epochB, b.toString())).toBe(isLess);
    }),
  );
});

it('every version has one width, and is read back', () => {
  fc.assert(
    fc.property(anyEpoch, anyPosition, (epoch, position) => {
      const version = streamVersion(epoch, position.toString());
      expect(version).toMatch(/^\d{17}-\d{40}$/);
      expect(parseVersion(version)).toBe(version);
      expect(epochOf(version)).toBe(epoch);
    }),
  );
});

it('a version has its epoch and its position, whatever version was made before it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEpoch, anyPosition)), (points) => {
      for (const [epoch, position] of points)
        expect(streamVersion(epoch, position.toString())).toBe(`${epoch}-${position.toString().padStart(40, '0')}`);
    }),
  );
});

it('leading zeros of a sequence number say nothing', () => {
  expect(streamVersion(EPOCH, '000123')).toBe(streamVersion(EPOCH, '123'));
});

it('a snapshot row is older than every change of its epoch, and newer than every change of an earlier one', () => {
  expect(snapshotVersion(EPOCH) < streamVersion(EPOCH, '1')).toBe(true);
  expect(snapshotVersion(EPOCH) > streamVersion('20261122195003122' as Epoch, '9'.repeat(40))).toBe(true);
  expect(snapshotVersion(EPOCH) > streamVersion(UNKNOWN_EPOCH, '9'.repeat(40))).toBe(true);
});

it.each(['', '-1', '1.5', '1e3', '9'.repeat(41), ' 1', '١'])('a sequence number %j is refused, and named', (number) => {
  expect(() => streamVersion(EPOCH, number)).toThrow(JSON.stringify(number));
});

it.each([
  '',
  '20261122195003123',
  `${EPOCH}-${'1'.repeat(39)}`,
  `${EPOCH}_${'1'.repeat(40)}`,
  `${EPOCH}-${'1'.repeat(40)}\n`,
])('%j is no version', (text) => {
  expect(() => parseVersion(text)).toThrow(/is not a version/);
});

it('an epoch is the label of a stream, to the millisecond', () => {
  expect(epochOfStreamLabel('2026-11-22T19:50:03.123')).toBe(EPOCH);
  expect(epochOfStreamLabel('2026-11-22T19:50:03.1')).toBe('20261122195003100');
  expect(epochOfStreamLabel('2026-11-22T19:50:03')).toBe('20261122195003000');
  expect(epochOfStreamLabel('2026-11-22')).toBeNull();
});

it('a stream’s ARN names its table and its epoch', () => {
  expect(parseStreamArn(`${ARN}/Orders.v2/stream/2026-11-22T19:50:03.123`)).toEqual({
    table: 'Orders.v2',
    epoch: EPOCH,
  });
  expect(parseStreamArn('arn:aws-cn:dynamodb:cn-north-1:1:table/t/stream/2026-11-22T19:50:03.123')?.table).toBe('t');
  for (const arn of [`${ARN}/Orders`, `${ARN}/Orders/stream/latest`, 'arn:aws:kinesis:eu-west-1:1:stream/x', ''])
    expect(parseStreamArn(arn)).toBeNull();
});

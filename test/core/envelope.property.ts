import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseRecord } from '../../core/dynamodb/normalise.ts';
import type { Envelope } from '../../core/envelope.ts';
import { ENVELOPE_FIELDS, envelopeLine, parseEnvelopeLine } from '../../core/envelope.ts';
import { NESTED, PLAIN } from '../../core/json-text.ts';
import { keyHashOf } from '../../core/key.ts';
import { rowLayout } from '../../core/row.ts';
import type { Epoch } from '../../core/version.ts';
import { streamVersion } from '../../core/version.ts';
import { ID_KEY, anyAttributeValue, anyText, schemaOf, streamRecord } from '../support/dynamodb.ts';

const anyRow = fc.oneof(anyText, fc.json());

const anyEnvelope: fc.Arbitrary<Envelope> = fc
  .record({
    key: anyText.map((text) => JSON.stringify([text])),
    position: fc.bigInt({ min: 0n, max: 10n ** 40n - 1n }),
    operation: fc.constantFrom('insert', 'update', 'delete', 'snapshot'),
    cause: fc.constantFrom('user', 'ttl', 'redrive', 'snapshot'),
    committedAtMicros: fc.maxSafeNat(),
    capturedAtMicros: fc.maxSafeNat(),
    schemaVersion: fc.nat(),
    row: anyRow,
  })
  .map(({ position, row, ...rest }): Envelope => {
    const version = streamVersion('20261122195003123' as Epoch, position.toString());
    return { ...rest, keyHash: keyHashOf(rest.key), version, row: rest.operation === 'delete' ? null : row };
  });

it('an envelope’s line gives the envelope again, and is one line', () => {
  fc.assert(
    fc.property(anyEnvelope, (envelope) => {
      const line = envelopeLine(envelope);
      expect(parseEnvelopeLine(line)).toEqual(envelope);
      expect(line).not.toContain('\n');
    }),
  );
});

it('every field is always there, in order, null written out', () => {
  fc.assert(
    fc.property(anyEnvelope, (envelope) => {
      const fields = Object.keys(JSON.parse(envelopeLine(envelope)) as object);
      expect(fields).toEqual(ENVELOPE_FIELDS.map((field) => field.name));
    }),
  );
});

it('a row that was made nested gives the very line that the plain one gives', () => {
  const anyItem = fc.dictionary(anyText, anyAttributeValue, { maxKeys: 6, noNullPrototype: true });
  fc.assert(
    fc.property(anyItem, anyItem, (item, declaredLike) => {
      const declared = Object.fromEntries(Object.keys(declaredLike).map((name) => [name, { kind: 'json' } as const]));
      const schema = schemaOf({ ...declared, word: { kind: 'string' } });
      const record = streamRecord({ image: { ...item, ...declaredLike } });
      const [plain = '', nested = ''] = [PLAIN, NESTED].map((style) => {
        const context = { table: null, key: ID_KEY, layout: rowLayout(schema, style), capturedAtMicros: 1 };
        return envelopeLine(normaliseRecord(record, context).change, style);
      });
      expect(nested).toBe(plain);
    }),
    { numRuns: 300 },
  );
});

describe('a line that is no envelope', () => {
  const good = JSON.parse(
    envelopeLine({
      key: '["a"]',
      keyHash: keyHashOf('["a"]'),
      version: streamVersion('20261122195003123' as Epoch, '1'),
      operation: 'insert',
      committedAtMicros: 1,
      capturedAtMicros: 2,
      schemaVersion: 1,
      row: '{}',
      cause: 'user',
    }),
  ) as Record<string, unknown>;

  it.each([
    ['without a key', { _key: undefined }],
    ['with a version of another form', { _version: '1' }],
    ['with an unknown operation', { _op: 'upsert' }],
    ['with an unknown cause', { _cause: 'constructor' }],
    ['with a time that is no whole number', { _committed_at: 1.5 }],
    ['with a time as text', { _captured_at: '1' }],
    ['with a row that is no text', { _row: {} }],
    ['without a row for an insert', { _row: null }],
    ['with a row for a delete', { _op: 'delete' }],
  ])('%s is told as corrupt', (_, change) => {
    const line = JSON.stringify({ ...good, ...change });
    expect(() => parseEnvelopeLine(line)).toThrow(expect.objectContaining({ code: 'corrupt' }) as Error);
  });

  it.each(['', '{', 'null', '[]', '"text"'])('%j is told as corrupt', (line) => {
    expect(() => parseEnvelopeLine(line)).toThrow(expect.objectContaining({ code: 'corrupt' }) as Error);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TypedRow } from '../../../core/change.ts';
import { decodeRow } from '../../../core/decode-row.ts';
import { canonicalJson } from '../../../core/row.ts';
import { initialSchema } from '../../../core/schema.ts';
import { utf8Bytes } from '../../../core/sql/dialect.ts';
import { shapeCells, shapeRow } from '../../../core/sql/shape.ts';
import { stagedLine } from '../../../core/sql/staged-line.ts';
import type { KeyHash } from '../../../core/change.ts';
import type { Version } from '../../../core/version.ts';

const SCHEMA = initialSchema([{ attribute: 'id', type: 'S' }], {
  Text: { kind: 'string' },
  Amount: { kind: 'decimal', precision: 38, scale: 9 },
  Doc: { kind: 'json' },
  Bytes: { kind: 'binary' },
});
const LIMIT = 65_535;
const ENGINES = ['postgres', 'redshift'] as const;

/** Texts with NULs, escapes that look like NULs, and texts about Redshift's limit in one, two, three and four bytes a character. */
const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', '\0', '\\', 'u0000', '\\u0000', '"', '/', '~', 'é', '漢', '😀'),
    maxLength: 8,
  }),
  fc
    .record({ unit: fc.constantFrom('a', 'é', '漢', '😀'), over: fc.integer({ min: -2, max: 2 }) })
    .map(({ unit, over }) => unit.repeat(Math.floor(LIMIT / Buffer.byteLength(unit)) + over)),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, text, fc.constantFrom(null, true, 0.5, -12), tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  map: fc.dictionary(fc.string({ unit: fc.constantFrom('a', '\0', '/', '~'), maxLength: 2 }), tie('value'), {
    maxKeys: 3,
  }),
})).value;
const row = fc.record({
  text: fc.option(text),
  doc: fc.option(json),
  bytes: fc.option(fc.constantFrom(0, 3, 49_149, 49_152).map((length) => Buffer.alloc(length, 7))),
  rescued: fc.option(fc.dictionary(fc.string({ unit: fc.constantFrom('x', '\0') }), json, { minKeys: 1, maxKeys: 2 })),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

/** The row as canonical JSON, as the changelog has it. */
function rowText({ text: string, doc, bytes, rescued }: Row): string {
  return canonicalJson({
    id: 'k',
    ...(string !== null && { text: string }),
    amount: 1.5,
    ...(doc !== null && { doc }),
    ...(bytes && { bytes: bytes.toString('base64') }),
    ...(rescued && { _rescued: rescued }),
  });
}

/** Every string that a JSON value holds, names included. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...stringsOf(member)]);
}

function comparable(typed: TypedRow): unknown {
  return { cells: typed.cells.map((cell) => (cell instanceof Uint8Array ? [...cell] : cell)), rescued: typed.rescued };
}

describe.each(ENGINES)('shaping for %s', (engine) => {
  it('leaves nothing that the engine cannot hold', () => {
    fc.assert(
      fc.property(row, (one) => {
        const shaped = shapeRow(rowText(one), SCHEMA, engine);
        for (const string of stringsOf(JSON.parse(shaped ?? 'null'))) {
          expect(string).not.toContain('\0');
          if (engine === 'redshift') expect(Buffer.byteLength(string)).toBeLessThanOrEqual(LIMIT);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('comes to the same for a row as text and for its cells', () => {
    fc.assert(
      fc.property(row, (one) => {
        const before = rowText(one);
        const after = shapeRow(before, SCHEMA, engine);
        expect(comparable(decodeRow(after ?? '', SCHEMA))).toEqual(
          comparable(shapeCells(decodeRow(before, SCHEMA), SCHEMA, engine)),
        );
      }),
      { numRuns: 150 },
    );
  });

  it('changes nothing the second time, and nothing that fits', () => {
    fc.assert(
      fc.property(row, (one) => {
        const once = shapeRow(rowText(one), SCHEMA, engine);
        expect(shapeRow(once, SCHEMA, engine)).toBe(once);
      }),
      { numRuns: 100 },
    );
    const typed = decodeRow('{"amount":1,"doc":{"a":"\\\\u0000"},"id":"k","text":"plain"}', SCHEMA);
    expect(comparable(shapeCells(typed, SCHEMA, engine))).toEqual(comparable(typed));
    expect(shapeRow(null, SCHEMA, engine)).toBeNull();
  });

  it('keeps a text with a NUL exactly, in _rescued', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '\0', '\\', '"', '\n'), minLength: 1, maxLength: 20 }),
        (string) => {
          const typed: TypedRow = { cells: ['k', string, null, null, null], rescued: null };
          const { cells, rescued } = shapeCells(typed, SCHEMA, engine);
          const kept = (JSON.parse(rescued ?? '{}') as { readonly Text?: { readonly escaped: string } }).Text;
          const held: unknown = kept ? JSON.parse(kept.escaped) : cells[1];
          expect(held).toBe(string);
          expect(cells[1] === null).toBe(string.includes('\0'));
        },
      ),
    );
  });
});

describe('what Redshift has no room for', () => {
  const long = 'é'.repeat(32_768);

  it('is named with its length and hash', () => {
    const { cells, rescued } = shapeCells({ cells: ['k', long, 5n, null, null], rescued: null }, SCHEMA, 'redshift');
    expect(cells).toEqual(['k', null, 5n, null, null]);
    expect(JSON.parse(rescued ?? '')).toEqual({
      Text: { bytes: 65_536, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown },
    });
  });

  it('is null alone inside JSON, and named by its pointer', () => {
    const doc = JSON.stringify({ 'a/b': [{ note: long, ok: 1 }] });
    const { cells, rescued } = shapeCells({ cells: ['k', null, null, doc, null], rescued: null }, SCHEMA, 'redshift');
    expect(cells[3]).toBe('{"a/b":[{"note":null,"ok":1}]}');
    expect(Object.keys((JSON.parse(rescued ?? '') as { readonly Doc: object }).Doc)).toEqual(['/a~1b/0/note']);
  });

  it('stands in PostgreSQL as it is', () => {
    const typed: TypedRow = { cells: ['k', long, null, null, null], rescued: null };
    expect(shapeCells(typed, SCHEMA, 'postgres')).toBe(typed);
  });

  it('is shaped in the staged line, whose row is nested JSON', () => {
    const line = stagedLine(
      {
        key: '["k"]',
        keyHash: 'ab' as KeyHash,
        version: '1' as Version,
        operation: 'update',
        committedAtMicros: 1,
        capturedAtMicros: 2,
        schemaVersion: 1,
        row: JSON.stringify({ id: 'k', text: long }),
        cause: 'user',
      },
      SCHEMA,
    );
    expect(JSON.parse(line)).toMatchObject({
      _key: '["k"]',
      _row: { id: 'k', text: null, _rescued: { Text: { bytes: 65_536 } } },
    });
  });
});

it('the length in UTF-8 is what it is written with', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (string) => {
      expect(utf8Bytes(string)).toBe(Buffer.byteLength(string));
    }),
  );
  expect(utf8Bytes('\ud800a\udc00')).toBe(Buffer.byteLength('\ud800a\udc00'));
});

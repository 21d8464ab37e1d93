import fc from 'fast-check';
import { expect, it } from 'vitest';
import { envelopeLine } from '../../core/envelope.ts';
import { parseErrorObject, restampedLines } from '../../core/firehose-errors.ts';
import { changeOf } from '../support/changes.ts';
import { anyText, schemaOf } from '../support/dynamodb.ts';

const SCHEMA = schemaOf({ note: { kind: 'string' } });

interface Piece {
  readonly kind: 'ours' | 'foreign' | 'riddle';
  readonly text: string;
  readonly expected: string;
}

const ours: fc.Arbitrary<Piece> = fc.tuple(anyText, fc.integer({ min: 1, max: 1e9 })).map(([note, at]) => {
  const expected = envelopeLine(changeOf({ id: 'a', at, image: { note: { S: note } } }, SCHEMA));
  return { kind: 'ours', expected, text: errorDocument(expected) };
});
const foreign: fc.Arbitrary<Piece> = anyText.map((data) => ({
  kind: 'foreign',
  expected: data,
  text: errorDocument(data),
}));
const riddle: fc.Arbitrary<Piece> = fc
  .constantFrom('?', 'no JSON at all', '{"errorCode":"x","errorMessage":"y"}', '[1,2]')
  .map((text) => ({ kind: 'riddle', expected: text, text }));

function errorDocument(data: string): string {
  const rawData = Buffer.from(data).toString('base64');
  return JSON.stringify({ attemptsMade: 1, errorCode: 'Iceberg.X', errorMessage: 'a "quoted" { message', rawData });
}

it('every record of an error object is put again or told, whatever stands around it', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(ours, foreign, riddle), { maxLength: 12 }), (pieces) => {
      const parts = parseErrorObject(pieces.map(({ text }) => text).join('\n'));
      const again = parts.flatMap((part) =>
        part.kind === 'record' ? (restampedLines(part.data, 'lakehouse', 1) ?? []) : [],
      );
      const wanted = pieces
        .filter(({ kind }) => kind === 'ours')
        .map(({ expected }) => restampedLines(expected, 'lakehouse', 1)?.[0]);
      expect(again).toEqual(wanted);
      const told = parts.filter(
        (part) =>
          part.kind === 'unknown' || restampedLines(part.kind === 'record' ? part.data : '', 'lakehouse', 1) === null,
      );
      // An array that is a riddle is told piece by piece, so there may be more of them, never fewer.
      expect(told.length).toBeGreaterThanOrEqual(pieces.length - wanted.length);
    }),
  );
});

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AvroRecord,
  type AvroSchema,
  avroSink,
  readAvro,
  readLong,
  writeAvro,
  writeLong,
  writtenBytes,
} from '../../../core/iceberg/avro.ts';
import { decodeContainer, encodeContainer } from '../../../core/iceberg/avro-container.ts';

const deflate = {
  compress: (bytes: Uint8Array) => deflateRawSync(bytes),
  decompress: (bytes: Uint8Array) => inflateRawSync(bytes),
};

const schema: AvroSchema = {
  type: 'record',
  name: 'r',
  fields: [
    { name: 'flag', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'large', type: 'long' },
    { name: 'real', type: 'double' },
    { name: 'raw', type: 'bytes' },
    { name: 'text', type: 'string' },
    { name: 'maybe', type: ['null', 'string'], default: null },
    { name: 'many', type: { type: 'array', items: 'long' } },
    { name: 'named', type: { type: 'map', values: 'int' } },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
  ],
};

const records: fc.Arbitrary<AvroRecord> = fc.record({
  flag: fc.boolean(),
  small: fc.integer(),
  large: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  real: fc.double({ noNaN: true }),
  raw: fc.uint8Array(),
  text: fc.string({ unit: 'grapheme' }),
  maybe: fc.option(fc.string()),
  many: fc.array(fc.maxSafeInteger()),
  named: fc.array(fc.tuple(fc.string(), fc.integer())).map((pairs) => new Map(pairs)),
  day: fc.integer(),
});

/** What a reader gives back: integers are numbers where a double is exact. */
function asRead(record: AvroRecord): AvroRecord {
  const large = record.large;
  return { ...record, large: Number.isSafeInteger(Number(large)) ? Number(large) : (large ?? null) };
}

describe('Avro', () => {
  it('reads back every record that it wrote, with either codec', () => {
    fc.assert(
      fc.property(fc.array(records), fc.boolean(), (written, compressed) => {
        const metadata = new Map([['k', 'v']]);
        const bytes = encodeContainer({ schema, metadata, records: written }, compressed ? deflate : undefined);
        const read = decodeContainer(bytes, deflate);
        expect(read.records).toEqual(written.map(asRead));
        expect(read.metadata).toEqual(metadata);
        expect(read.schema).toEqual(schema);
      }),
    );
  });

  it('writes an integer as a number and as a bigint in the same bytes', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const one = avroSink();
        const other = avroSink();
        writeLong(one, value);
        writeLong(other, BigInt(value));
        expect(writtenBytes(one)).toEqual(writtenBytes(other));
        expect(readLong({ bytes: writtenBytes(one), offset: 0 })).toBe(value);
      }),
    );
  });

  it('refuses a file that is cut anywhere, and never reads past its end', () => {
    const record: AvroRecord = {
      flag: true,
      small: 1,
      large: 2,
      real: 3,
      raw: Uint8Array.of(4),
      text: 'five',
      maybe: null,
      many: [6],
      named: new Map([['seven', 7]]),
      day: 8,
    };
    const whole = encodeContainer({ schema, metadata: new Map(), records: [record] });
    const headerEnd = encodeContainer({ schema, metadata: new Map(), records: [] }).length;
    for (let length = 0; length < whole.length; length++) {
      if (length === headerEnd) continue;
      expect(() => decodeContainer(whole.subarray(0, length), deflate)).toThrow(/Avro/);
    }
  });

  it('reads blocks that carry their size, as other writers make them', () => {
    // A block of -1 items with its size of 1 byte, one item (3), and the end.
    const bytes = Uint8Array.of(0x01, 0x02, 0x06, 0x00);
    expect(readAvro({ bytes, offset: 0 }, { type: 'array', items: 'long' })).toEqual([3]);
  });

  it('refuses a value that is not of the schema', () => {
    expect(() => writeAvro(avroSink(), 'long', 'text')).toThrow(/does not fit/);
    expect(() => writeAvro(avroSink(), 'int', 1.5)).toThrow(/does not fit/);
  });

  it('refuses another codec, and bytes that are no Avro', () => {
    const text = Buffer.from(encodeContainer({ schema: 'long', metadata: new Map(), records: [] })).toString('latin1');
    const snappy = Buffer.from(text.replace('null', 'lzo4'), 'latin1');
    expect(() => decodeContainer(snappy, deflate)).toThrow(/codec is "lzo4"/);
    expect(() => decodeContainer(Buffer.from('PAR1 and more'), deflate)).toThrow(/Obj1/);
  });
});

import fc from 'fast-check';
import { initialSchema } from '../../core/schema.ts';
import type { DeclaredColumns, KeyAttributes, TableSchema } from '../../core/schema.ts';

/** A stream record as Lambda gets it, with what a test does not care about filled in. */
export interface RecordInput {
  readonly event?: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly image?: Readonly<Record<string, unknown>>;
  readonly sequence?: string;
  readonly table?: string;
  readonly label?: string;
  readonly at?: number;
}

export function streamRecord(input: RecordInput): Record<string, unknown> {
  const keys = input.keys ?? { id: { S: 'a' } };
  const event = input.event ?? 'INSERT';
  const table = input.table ?? 'orders';
  return {
    eventID: '1',
    eventName: event,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    eventSourceARN: `arn:aws:dynamodb:us-east-1:000000000000:table/${table}/stream/${input.label ?? '2026-11-22T10:00:00.000'}`,
    dynamodb: {
      ApproximateCreationDateTime: input.at ?? 1_790_000_000,
      Keys: keys,
      ...(event === 'REMOVE' ? {} : { NewImage: { ...keys, ...input.image } }),
      SequenceNumber: input.sequence ?? '100000000000000000001',
      SizeBytes: 100,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  };
}

export const ID_KEY: KeyAttributes = [{ attribute: 'id', type: 'S' }];

export function schemaOf(declared: DeclaredColumns = {}, key: KeyAttributes = ID_KEY): TableSchema {
  return initialSchema(key, declared);
}

/** Any well-formed string: NUL and astral characters among them, and what JSON gives a meaning to. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '\n', ' ', 'a', '0'), maxLength: 12 }),
);

/** Any number that DynamoDB holds, as text it would accept, not always canonical. */
export const anyNumber: fc.Arbitrary<string> = fc
  .tuple(
    fc.boolean(),
    fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }),
    fc.integer({ min: 0, max: 37 }),
    fc.integer({ min: -90, max: 87 }),
  )
  .map(([negative, digits, point, exponent]) => {
    const text = digits.toString().padStart(point + 1, '0');
    const plain = point === 0 ? text : `${text.slice(0, -point)}.${text.slice(-point)}`;
    return `${negative ? '-' : ''}${plain}${exponent === 0 ? '' : `E${exponent > 0 ? '+' : ''}${exponent}`}`;
  });

const anyBase64 = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64'));

/** Any attribute value that DynamoDB holds, nested up to a few levels. */
export const anyAttributeValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    anyText.map((S) => ({ S })),
    anyNumber.map((N) => ({ N })),
    anyBase64.map((B) => ({ B })),
    fc.boolean().map((BOOL) => ({ BOOL })),
    fc.constant({ NULL: true }),
    fc.array(anyText, { maxLength: 3 }).map((SS) => ({ SS })),
    fc.array(anyNumber, { maxLength: 3 }).map((NS) => ({ NS })),
    fc.array(anyBase64, { maxLength: 3 }).map((BS) => ({ BS })),
    fc.array(tie('value'), { maxLength: 3 }).map((L) => ({ L })),
    fc.dictionary(anyText, tie('value'), { maxKeys: 3, noNullPrototype: true }).map((M) => ({ M })),
  ),
})).value;

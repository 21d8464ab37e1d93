import { createRandom } from '../local/shop/random.ts';

/** Makes the items of the benchmark as the JSON of DynamoDB values: 15 attributes, a nested map, a list, a set, decimals. */
export interface Images {
  /** The key's members, without braces: `"customer_id":{"S":"…"},"order_id":{"S":"…"}`. */
  keys(key: number): string;
  /** The whole item; the same key and version always give the same. */
  image(key: number, version: number): string;
}

/** How many of each ready-made part there are: enough that a file does not compress or deduplicate better than a real one. */
const PARTS = 1024;
const STATES = ['placed', 'paid', 'packed', 'shipped', 'delivered', 'returned'];
const WORDS = [
  'Hamburg',
  'Zürich',
  'Kraków',
  'Lisboa',
  'Oslo',
  'Vienna',
  'Tromsø',
  'Napoli',
  'Reims',
  'Ghent',
  'Cork',
  'Split',
];

/** Parts are made once; an image is put together from them, chosen by a mix of key and version, and a few numbers of its own. */
export function createImages(seed: number): Images {
  const random = createRandom(seed ^ 0x5bd1e995);
  const word = () => WORDS[random.below(WORDS.length)] ?? '';
  const words = (count: number) => Array.from({ length: count }, word).join(' ');
  const amount = () => `${random.below(5000)}.${10 + random.below(90)}`;
  const several = (make: () => string) => Array.from({ length: PARTS }, make);

  const people = several(
    () => `,"name":{"S":"${words(2)}"},"email":{"S":"${word().toLowerCase()}.${random.below(1e6)}@example.com"}`,
  );
  const addresses = several(
    () =>
      `,"address":{"M":{"street":{"S":"${words(2)} ${random.below(200)}"},"city":{"S":"${word()}"},"zip":{"S":"${10_000 + random.below(80_000)}"},` +
      `"geo":{"M":{"lat":{"N":"${random.below(90)}.${random.below(1e6)}1"},"lon":{"N":"${random.below(180)}.${random.below(1e6)}1"}}}}}`,
  );
  const lists = several(
    () =>
      `,"lines":{"L":[{"M":{"sku":{"S":"sku-${random.below(5000)}"},"quantity":{"N":"${1 + random.below(9)}"},"price":{"N":"${amount()}"}}},` +
      `{"M":{"sku":{"S":"sku-${random.below(5000)}"},"quantity":{"N":"${1 + random.below(9)}"},"price":{"N":"${amount()}"}}}]}`,
  );
  const flags = several(
    () =>
      `,"tags":{"SS":["t${random.below(50)}","u${random.below(50)}"]},"is_gift":{"BOOL":${random.oneIn(2)}},"coupon":{"NULL":true},` +
      `"tax_rate":{"N":"0.${10 + random.below(15)}"},"note":{"S":"${words(3)}"}`,
  );
  const part = (parts: readonly string[], mixed: number) => parts[mixed & (PARTS - 1)] ?? '';

  const keys = (key: number) =>
    `"customer_id":{"S":"c#${100_000 + (key % 50_000)}"},"order_id":{"S":"o#${10_000_000 + key}"}`;
  return {
    keys,
    image(key, version) {
      const a = mix(key, version);
      const b = mix(a, version);
      return (
        `{${keys(key)},"order_status":{"S":"${STATES[version % STATES.length] ?? ''}"},` +
        `"placed_at":{"S":"2026-01-${10 + (key % 20)}T0${key % 10}:15:3${version % 10}Z"},` +
        `"total":{"N":"${a % 1_000_000}.${10 + (b % 90)}"},"ledger_ref":{"N":"${a}${b}.${a % 100_000}1"}` +
        part(people, key) +
        part(addresses, a >>> 3) +
        part(lists, b) +
        part(flags, b >>> 11) +
        '}'
      );
    },
  };
}

/** Both numbers spread over 32 bits, never less than 10 digits long: it leads no number with a zero. */
function mix(first: number, second: number): number {
  let mixed = Math.imul(first ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(second + 0x7f4a7c15, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (((mixed ^ (mixed >>> 13)) >>> 0) % 3_000_000_000) + 1_000_000_000;
}

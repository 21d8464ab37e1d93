import type { Random } from './random.ts';
import type { ShopItem, ShopValue } from './shop-write.ts';

/** What an order is made from. */
export interface OrderSeed {
  /** Counts the shop's orders from 1. */
  readonly number: number;
  /** Epoch milliseconds, when the customer placed it. */
  readonly placedAtMs: number;
  /** From some time on the shop records loyalty points and delivery windows: attributes that appear only later. */
  readonly isLate: boolean;
  /** Epoch seconds at which the item expires, for a cart that nobody pays; null for an order. */
  readonly expiresAt: number | null;
}

export const ORDER_STATES = ['placed', 'paid', 'packed', 'shipped', 'delivered', 'returned'] as const;

const NAMES = [
  'Zoë Müller',
  'Ólafur Jónsson',
  '李小龍',
  'أحمد علي',
  'Grace Hopper',
  'Анна Каренина',
  "Conan O'Brien",
  'José Ñandú',
] as const;
const STREETS = ['Hauptstraße 7', '42 Elm Street', 'rue de l’Église 3', 'Via Roma 12', '桜通り 5-1'] as const;
const CITIES = ['Köln', 'Paris', 'São Paulo', 'Kraków', '東京', 'Springfield'] as const;
const COUNTRIES = ['DE', 'FR', 'BR', 'PL', 'JP', 'US'] as const;
const CURRENCIES = ['EUR', 'USD', 'JPY', 'PLN'] as const;
const PRODUCTS = ['Teapot', 'Bicycle bell', 'Wool blanket', 'Reading lamp', 'Chess set', 'Umbrella ☂'] as const;
const NOTES = [
  '',
  'Leave it with the neighbour',
  '🎁 It is a gift, no invoice please',
  'Line one\nline two',
  '"quoted", \\ and \t tab',
] as const;
const TAGS = ['gift', 'express', 'fragile', 'b2b', 'größe-xl', '🌱 green'] as const;

/** The key of the order with this number. Customers come back: about one in four orders is of a known one. */
export function orderKey(number: number): ShopItem {
  const customer = 1 + (Math.floor((number * 2_654_435_761) % 4_294_967_296) % Math.max(10, Math.ceil(number * 0.75)));
  return {
    customer_id: text(`c#${String(customer).padStart(6, '0')}`),
    order_id: text(`o#${String(number).padStart(8, '0')}`),
  };
}

/** An order as a shop's software would store it, with every type that DynamoDB has and the oddities that grow in real tables. */
export function orderItem(random: Random, seed: OrderSeed): ShopItem {
  const lines = Array.from({ length: 1 + random.below(4) }, () => orderLine(random));
  const status = seed.expiresAt === null ? random.pick(ORDER_STATES) : 'cart';
  return {
    ...orderKey(seed.number),
    order_status: text(status),
    // An older version of the shop's software wrote another name, which folds to the same column name.
    ...(random.oneIn(3) ? { orderStatus: text(status.toUpperCase()) } : {}),
    placed_at: text(new Date(seed.placedAtMs).toISOString()),
    customerName: text(random.pick(NAMES)),
    total: money(random),
    currency: text(random.pick(CURRENCIES)),
    'tax-rate': number(random.pick(['0.19', '0.07', '0', '0.2'])),
    ledger_ref: number(digits(random, 30 + random.below(9))),
    fx_rate: exchangeRate(random),
    // Numbers in some orders, text in others.
    reference: random.oneIn(2) ? text(`PO-${random.below(100_000)}`) : number(String(random.below(100_000))),
    isGift: { BOOL: random.oneIn(4) },
    coupon: random.oneIn(3) ? text(`SAVE${5 * (1 + random.below(6))}`) : { NULL: true },
    ...(random.oneIn(2) ? { note: text(random.pick(NOTES)) } : {}),
    address: address(random),
    lines: { L: lines },
    tags: { SS: distinct(random, TAGS) },
    ratings: { NS: distinct(random, ['1', '2', '3.5', '4', '5']) },
    ...(random.oneIn(4) ? { receipts: { BS: [bytes(random, 8), bytes(random, 12)] } } : {}),
    signature: { B: bytes(random, 24) },
    ...(seed.isLate ? { loyalty_points: number(String(random.below(5000))), delivery: deliveryWindow(random) } : {}),
    ...(seed.expiresAt === null ? {} : { expires_at: number(String(seed.expiresAt)) }),
  };
}

export function text(value: string): ShopValue {
  return { S: value };
}

export function number(value: string): ShopValue {
  return { N: value };
}

/** An amount with two decimals, up to 2,500. */
export function money(random: Random): ShopValue {
  const cents = 100 + random.below(250_000);
  return number(`${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`);
}

export function orderLine(random: Random): ShopValue {
  return {
    M: {
      sku: text(`sku-${random.below(1000)}`),
      title: text(random.pick(PRODUCTS)),
      quantity: number(String(1 + random.below(5))),
      price: money(random),
      ...(random.oneIn(3)
        ? { options: { M: { colour: text('blue'), engraving: { L: [text('A'), { NULL: true }, { BOOL: true }] } } } }
        : {}),
    },
  };
}

export function deliveryWindow(random: Random): ShopValue {
  const hour = 8 + random.below(10);
  return {
    M: {
      carrier: text(random.pick(['dhl', 'ups', 'post'])),
      hours: { L: [number(String(hour)), number(String(hour + 2))] },
    },
  };
}

function address(random: Random): ShopValue {
  const degrees = (limit: number) => number(`${random.below(2 * limit) - limit}.${digits(random, 6)}`);
  return {
    M: {
      street: text(random.pick(STREETS)),
      city: text(random.pick(CITIES)),
      country: text(random.pick(COUNTRIES)),
      geo: { M: { lat: degrees(90), lon: degrees(180) } },
    },
  };
}

/** Mostly few decimals; one in forty has more than a decimal(38,9) can hold, and is rescued. */
function exchangeRate(random: Random): ShopValue {
  return number(`1.${digits(random, random.oneIn(40) ? 14 : 4)}`);
}

/** So many digits, the first and last of which are no zeros. */
function digits(random: Random, count: number): string {
  const middle = Array.from({ length: count - 2 }, () => random.below(10)).join('');
  return `${1 + random.below(9)}${middle}${1 + random.below(9)}`;
}

function bytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** One to three of the choices, each once: a set must not be empty. */
function distinct(random: Random, choices: readonly [string, ...string[]]): string[] {
  return [...new Set(Array.from({ length: 1 + random.below(3) }, () => random.pick(choices)))];
}

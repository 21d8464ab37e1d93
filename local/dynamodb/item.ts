/** One attribute's value as the DynamoDB wire has it: exactly one of the members is there. */
export interface AttributeValue {
  readonly S?: string;
  readonly N?: string;
  readonly B?: string;
  readonly BOOL?: boolean;
  readonly NULL?: boolean;
  readonly SS?: readonly string[];
  readonly NS?: readonly string[];
  readonly BS?: readonly string[];
  readonly L?: readonly AttributeValue[];
  readonly M?: Item;
}

/** An item, or the key of one, by attribute name. */
export type Item = Readonly<Record<string, AttributeValue | undefined>>;

/** An item and the JSON text in which it is stored. */
export interface StoredItem {
  readonly item: Item;
  readonly text: string;
}

/**
 * Whether two stored items are the same to DynamoDB, for which neither attributes nor the members of a set have an order.
 * Numbers must have been normalised already, as everything that was stored is.
 */
export function sameItem(a: StoredItem, b: StoredItem): boolean {
  if (a.text === b.text) return true;
  // Another order has the same length, so most real changes are told apart here.
  return a.text.length === b.text.length && sameMembers(a.item, b.item);
}

function sameMembers(a: Item, b: Item): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => sameValue(a[name], b[name]));
}

function sameValue(a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.M && b.M) return sameMembers(a.M, b.M);
  if (a.L && b.L) {
    const other = b.L;
    return a.L.length === other.length && a.L.every((member, index) => sameValue(member, other[index]));
  }
  return a.S === b.S && JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

/** A scalar as it is, a set with its members in order. */
function ordered(value: AttributeValue): AttributeValue {
  if (value.SS) return { SS: [...value.SS].sort() };
  if (value.NS) return { NS: [...value.NS].sort() };
  return value.BS ? { BS: [...value.BS].sort() } : value;
}

/** The size of an item in bytes by DynamoDB's rules: names and strings in UTF-8, numbers about half a byte a digit. */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const name of Object.keys(item)) bytes += Buffer.byteLength(name) + valueBytes(item[name]);
  return bytes;
}

function valueBytes(value: AttributeValue | undefined): number {
  if (value === undefined) return 0;
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return Buffer.byteLength(value.B, 'base64');
  if (value.M !== undefined) return 3 + itemBytes(value.M) + Object.keys(value.M).length;
  if (value.L !== undefined) return value.L.reduce((sum, member) => sum + 1 + valueBytes(member), 3);
  if (value.SS !== undefined) return value.SS.reduce((sum, member) => sum + Buffer.byteLength(member), 0);
  if (value.NS !== undefined) return value.NS.reduce((sum, member) => sum + numberBytes(member), 0);
  if (value.BS !== undefined) return value.BS.reduce((sum, member) => sum + Buffer.byteLength(member, 'base64'), 0);
  return 1;
}

function numberBytes(digits: string): number {
  return 1 + Math.ceil(digits.length / 2);
}

import { GlasshouseError } from '../errors.ts';

/** The column types that are written. A `timestamp` is without zone and UTC by convention, in microseconds. */
export type IcebergType =
  'string' | 'long' | 'int' | 'double' | 'boolean' | 'binary' | 'timestamp' | 'date' | `decimal(${number},${number})`;

/** A column. Readers find it by its id, so a name may change and a file may lack it. */
export interface IcebergField {
  readonly id: number;
  readonly name: string;
  readonly type: IcebergType;
  readonly required: boolean;
  readonly doc?: string;
}

/** A column by which files are kept apart: its value, or the day of its timestamp. */
export interface PartitionField {
  readonly sourceId: number;
  readonly transform: 'identity' | 'day';
  readonly name: string;
}

/** What a table is created with. */
export interface TableDefinition {
  readonly fields: readonly IcebergField[];
  readonly identifierFieldIds?: readonly number[];
  readonly partition?: readonly PartitionField[];
  readonly properties?: Readonly<Record<string, string>>;
}

/** The precision and scale of a decimal type; undefined for every other type. */
export function decimalParts(type: IcebergType): { precision: number; scale: number } | undefined {
  const match = /^decimal\((\d+), ?(\d+)\)$/.exec(type);
  if (match === null) return undefined;
  return { precision: Number(match[1]), scale: Number(match[2]) };
}

const SIMPLE: ReadonlySet<string> = new Set([
  'string',
  'long',
  'int',
  'double',
  'boolean',
  'binary',
  'timestamp',
  'date',
]);

/** A type as it stands in a schema's JSON. Throws `corrupt` for a type that Glasshouse does not write. */
export function parseType(text: unknown): IcebergType {
  if (typeof text === 'string' && SIMPLE.has(text)) return text as IcebergType;
  const decimal = typeof text === 'string' ? decimalParts(text as IcebergType) : undefined;
  if (decimal === undefined) {
    throw new GlasshouseError(
      'corrupt',
      `The table has a column of type ${JSON.stringify(text)}, which Glasshouse does not read: drop that column first.`,
    );
  }
  return `decimal(${decimal.precision},${decimal.scale})`;
}

/** Whether Iceberg allows a column of one type to become the other without rewriting a file. */
export function isPromotion(from: IcebergType, to: IcebergType): boolean {
  if (from === 'int' && to === 'long') return true;
  const before = decimalParts(from);
  const after = decimalParts(to);
  if (before === undefined || after === undefined) return false;
  return before.scale === after.scale && after.precision > before.precision && after.precision <= 38;
}

/** Throws `config` unless ids and names are unique, decimals are possible, and partitions name columns that fit. */
export function checkDefinition(definition: TableDefinition): void {
  const byId = new Map<number, IcebergField>();
  const names = new Set<string>();
  for (const field of definition.fields) {
    if (byId.has(field.id)) throw invalid(`field id ${field.id} is given twice`);
    if (names.has(field.name)) throw invalid(`column name "${field.name}" is given twice`);
    checkField(field);
    byId.set(field.id, field);
    names.add(field.name);
  }
  for (const id of definition.identifierFieldIds ?? []) {
    if (byId.get(id)?.required !== true) throw invalid(`identifier field ${id} is not a required column`);
  }
  for (const part of definition.partition ?? []) {
    const wanted = part.transform === 'day' ? 'timestamp' : 'string';
    const type = byId.get(part.sourceId)?.type;
    if (type !== wanted) {
      throw invalid(
        `partition "${part.name}" takes the ${part.transform} of field ${part.sourceId}, which is no ${wanted}`,
      );
    }
  }
}

/** Throws `config` unless the id is positive and a decimal's precision and scale are possible. */
export function checkField(field: IcebergField): void {
  if (!Number.isSafeInteger(field.id) || field.id < 1)
    throw invalid(`field id ${field.id} is not a positive whole number`);
  const decimal = decimalParts(field.type);
  if (decimal === undefined) return;
  if (decimal.precision < 1 || decimal.precision > 38 || decimal.scale > decimal.precision) {
    throw invalid(`column "${field.name}" is ${field.type}: precision is 1 to 38, and scale at most the precision`);
  }
}

function invalid(what: string): GlasshouseError {
  return new GlasshouseError('config', `The table's definition is not valid: ${what}.`);
}

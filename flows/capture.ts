import type { NormaliseContext, NormalisedChange } from '../core/dynamodb/normalise.ts';
import { normaliseItem, normaliseRecord } from '../core/dynamodb/normalise.ts';
import { scanRecord } from '../core/dynamodb/record-scan.ts';
import { RecordFault } from '../core/dynamodb/fault.ts';
import type { Envelope } from '../core/envelope.ts';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import type { SeenAttribute } from '../core/infer.ts';
import { wantedColumns } from '../core/infer.ts';
import type { JsonStyle } from '../core/json-text.ts';
import { PLAIN, jsonOfAnyDepth } from '../core/json-text.ts';
import type { KeyAttribute } from '../core/key.ts';
import type { RowLayout } from '../core/row.ts';
import { rowLayout } from '../core/row.ts';
import type { DeclaredColumns, SchemaLimits, TableSchema } from '../core/schema.ts';
import { addColumns, initialSchema } from '../core/schema.ts';
import type { Delivered, QuarantineEntry, SchemaRegistry } from './ports.ts';

/** What capture knows of one mirrored table. */
export interface CaptureTable {
  /** The mirror's name of the table. */
  readonly table: string;
  /** The source's table; null where records of any are taken. */
  readonly sourceTable: string | null;
  readonly key: readonly KeyAttribute[];
  readonly declared: DeclaredColumns;
  readonly limits: SchemaLimits;
}

export interface Captured {
  readonly changes: readonly Envelope[];
  readonly quarantined: readonly QuarantineEntry[];
  /** Rows that have something in `_rescued`. */
  readonly rescued: number;
  /** The schema that every change was normalised to, or an older version of it. */
  readonly schema: TableSchema;
}

/** What capture normalises itself. */
type Normalisable = Extract<Delivered, { kind: 'record' | 'text' | 'item' }>;

type Result = NormalisedChange | QuarantineEntry;

/** Turns deliveries into changes, one batch at a time: normalises, infers new columns, sets aside what cannot be read. */
export class Capture {
  private readonly table: CaptureTable;
  private readonly registry: SchemaRegistry;
  private context: NormaliseContext;

  private constructor(table: CaptureTable, registry: SchemaRegistry, layout: RowLayout) {
    this.table = table;
    this.registry = registry;
    this.context = { table: table.sourceTable, key: table.key, layout, capturedAtMicros: 0 };
  }

  /** Opens the table's schema, or registers its first. */
  static async open(table: CaptureTable, registry: SchemaRegistry): Promise<Capture> {
    const newest = (await registry.load(table.table)).at(-1);
    return Capture.of(table, registry, newest ?? (await registerFirst(table, registry)));
  }

  /** Goes on from a schema that is registered. `style` is how the rows of its changes are quoted. */
  static of(table: CaptureTable, registry: SchemaRegistry, schema: TableSchema, style: JsonStyle = PLAIN): Capture {
    return new Capture(table, registry, rowLayout(schema, style));
  }

  get schema(): TableSchema {
    return this.context.layout.schema;
  }

  /** How the rows of its changes are quoted. */
  get style(): JsonStyle {
    return this.context.layout.style;
  }

  /**
   * Captures a batch. `nowMillis` is the time that its envelopes bear. Throws only where the registry cannot be reached.
   * `following` are the deliveries of the same batch that come after a part of it: they are asked for where columns are
   * added, whose types they have a say in.
   */
  async capture(
    deliveries: readonly Delivered[],
    nowMillis: number,
    following: () => readonly Delivered[] = () => [],
  ): Promise<Captured> {
    this.context = { ...this.context, capturedAtMicros: nowMillis * 1000 };
    const results = deliveries.map((delivery) => this.captureOne(delivery, nowMillis));
    if (await this.addWantedColumns(results, () => following().map((one) => this.captureOne(one, nowMillis)))) {
      for (const [index, result] of results.entries()) {
        const delivery = deliveries[index];
        if ('unknown' in result && result.unknown.length > 0 && delivery)
          results[index] = this.captureOne(delivery, nowMillis);
      }
    }
    return this.sorted(results);
  }

  private captureOne(delivery: Delivered, nowMillis: number): Result {
    if (delivery.kind === 'unreadable') {
      return this.setAside(delivery.fault, delivery.reason, delivery.raw, delivery, nowMillis);
    }
    try {
      return this.normalise(delivery);
    } catch (thrown) {
      if (!(thrown instanceof RecordFault)) throw thrown;
      return this.setAside(thrown.kind, thrown.message, rawOf(delivery), delivery, nowMillis);
    }
  }

  private normalise(delivery: Normalisable): NormalisedChange {
    switch (delivery.kind) {
      case 'record':
        return normaliseRecord(delivery.record, this.context);
      case 'text':
        return scanRecord(delivery.text, this.context) ?? normaliseRecord(parseLine(delivery.text), this.context);
      case 'item':
        return normaliseItem(delivery.item, delivery.snapshot, this.context);
    }
  }

  private setAside(kind: string, reason: string, raw: string, delivery: Delivered, nowMillis: number): QuarantineEntry {
    return { table: this.table.table, kind, reason, place: delivery.place, raw, quarantinedAtMillis: nowMillis };
  }

  /** Adds columns for what the batch brought that the schema does not know; whether it did. */
  private async addWantedColumns(results: readonly Result[], following: () => readonly Result[]): Promise<boolean> {
    const seen = unknownIn(results);
    if (seen.length === 0) return false;
    // Beyond the limit on columns there is something unknown in every batch.
    if (addColumns(this.schema, wantedColumns(seen), this.table.limits) === this.schema) return false;
    const wanted = wantedColumns([...seen, ...unknownIn(following())]);
    const before = this.schema;
    await evolve(this.registry, this.table, before, wanted, (schema) => {
      // Two batches can evolve the schema at once: the later answer may be the older schema.
      if (schema.version > this.schema.version)
        this.context = { ...this.context, layout: rowLayout(schema, this.style) };
    });
    return this.schema !== before;
  }

  private sorted(results: readonly Result[]): Captured {
    const changes: Envelope[] = [];
    const quarantined: QuarantineEntry[] = [];
    let rescued = 0;
    for (const result of results) {
      if (!('change' in result)) quarantined.push(result);
      else {
        changes.push(result.change);
        if (result.hasRescued) rescued++;
      }
    }
    return { changes, quarantined, rescued, schema: this.schema };
  }
}

function unknownIn(results: readonly Result[]): SeenAttribute[] {
  const unknown: SeenAttribute[] = [];
  for (const result of results) if ('unknown' in result && result.unknown.length > 0) unknown.push(...result.unknown);
  return unknown;
}

function rawOf(delivery: Normalisable): string {
  switch (delivery.kind) {
    case 'record':
      return jsonOfAnyDepth(delivery.record);
    case 'text':
      return delivery.text;
    case 'item':
      return jsonOfAnyDepth(delivery.item);
  }
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new RecordFault('not-json', `The line is no JSON: ${messageOf(thrown)}.`);
  }
}

async function registerFirst(table: CaptureTable, registry: SchemaRegistry): Promise<TableSchema> {
  const first = initialSchema(table.key, table.declared);
  try {
    await registry.save(table.table, first);
    return first;
  } catch (thrown) {
    if (!(thrown instanceof GlasshouseError && thrown.code === 'conflict')) throw thrown;
    const newest = (await registry.load(table.table)).at(-1);
    if (!newest) throw thrown;
    return newest;
  }
}

const MAX_REGISTRY_TRIES = 20;

/** Adds columns by compare-and-set: after a conflict, onto what another capture has registered meanwhile. */
async function evolve(
  registry: SchemaRegistry,
  table: CaptureTable,
  current: TableSchema,
  wanted: ReturnType<typeof wantedColumns>,
  use: (schema: TableSchema) => void,
): Promise<void> {
  let base = current;
  for (let attempt = 1; ; attempt++) {
    const next = addColumns(base, wanted, table.limits);
    if (next === base) {
      use(base);
      return;
    }
    try {
      await registry.save(table.table, next);
      use(next);
      return;
    } catch (thrown) {
      const isConflict = thrown instanceof GlasshouseError && thrown.code === 'conflict';
      if (!isConflict || attempt === MAX_REGISTRY_TRIES) throw thrown;
      base = (await registry.load(table.table)).at(-1) ?? base;
    }
  }
}

import type { Envelope } from '../../core/envelope.ts';
import type { TableSchema } from '../../core/schema.ts';
import type {
  Applied,
  Changelog,
  ChangelogMark,
  ChangelogPiece,
  Durable,
  Quarantine,
  QuarantineEntry,
  SchemaRegistry,
  StreamPositions,
  Target,
  TargetRow,
  TypedChange,
} from '../../flows/ports.ts';
import type { Fault } from './fault-script.ts';
import { FaultScript } from './fault-script.ts';

/** A changelog whose appends go as the script says. */
export class FaultyChangelog implements Changelog {
  readonly script: FaultScript;
  private readonly inner: Changelog;

  constructor(inner: Changelog, faults: readonly Fault[]) {
    this.inner = inner;
    this.script = new FaultScript(faults);
  }

  append(envelopes: readonly Envelope[], positions: StreamPositions | null): Promise<Durable> {
    return this.script.play(() => this.inner.append(envelopes, positions));
  }

  positions(): Promise<StreamPositions | null> {
    return this.inner.positions();
  }

  readAfter(mark: ChangelogMark | null): AsyncIterable<ChangelogPiece> {
    return this.inner.readAfter(mark);
  }

  newest(): Promise<ChangelogMark | null> {
    return this.inner.newest();
  }
}

/** A target whose applies go as the script says. */
export class FaultyTarget implements Target {
  readonly script: FaultScript;
  private readonly inner: Target;

  constructor(inner: Target, faults: readonly Fault[]) {
    this.inner = inner;
    this.script = new FaultScript(faults);
  }

  mark(): Promise<ChangelogMark | null> {
    return this.inner.mark();
  }

  apply(changes: readonly TypedChange[], schema: TableSchema, mark: ChangelogMark): Promise<Applied> {
    return this.script.play(() => this.inner.apply(changes, schema, mark));
  }

  rows(schema: TableSchema): AsyncIterable<readonly TargetRow[]> {
    return this.inner.rows(schema);
  }
}

/** A registry whose saves go as the script says. */
export class FaultyRegistry implements SchemaRegistry {
  readonly script: FaultScript;
  private readonly inner: SchemaRegistry;

  constructor(inner: SchemaRegistry, faults: readonly Fault[]) {
    this.inner = inner;
    this.script = new FaultScript(faults);
  }

  load(table: string): Promise<readonly TableSchema[]> {
    return this.inner.load(table);
  }

  save(table: string, schema: TableSchema): Promise<void> {
    return this.script.play(() => this.inner.save(table, schema));
  }
}

/** A quarantine whose puts go as the script says. */
export class FaultyQuarantine implements Quarantine {
  readonly script: FaultScript;
  private readonly inner: Quarantine;

  constructor(inner: Quarantine, faults: readonly Fault[]) {
    this.inner = inner;
    this.script = new FaultScript(faults);
  }

  put(entries: readonly QuarantineEntry[]): Promise<void> {
    return this.script.play(() => this.inner.put(entries));
  }

  counts(table: string): Promise<Readonly<Record<string, number>>> {
    return this.inner.counts(table);
  }
}

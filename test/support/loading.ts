import { GlasshouseError } from '../../core/errors.ts';
import { materialize } from '../../core/merge.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { TableSchema } from '../../core/schema.ts';
import { redshiftEnvelopes } from '../../core/sql/plans/envelope-load.ts';
import { stagedLine } from '../../core/sql/staged-line.ts';
import { createMemoryControlStore } from '../../adapters/memory/control-store.ts';
import { createMemorySchemaRegistry } from '../../adapters/memory/schema-registry.ts';
import type { ControlStore } from '../../flows/control-store.ts';
import type { LoadReport, Loader, LoaderPorts, LoaderSettings } from '../../flows/load-tables.ts';
import { createLoader } from '../../flows/load-tables.ts';
import type { MetricName } from '../../core/metric-names.ts';
import type { SchemaRegistry } from '../../flows/ports.ts';
import { Crash } from './fault-script.ts';
import { MemoryWarehouse } from './memory-warehouse.ts';
import { Clock, MemoryStaging } from './staging.ts';

export const SETTINGS: LoaderSettings = {
  mirror: 'shop',
  viewSchema: 'public',
  sql: redshiftEnvelopes('arn:aws:iam::123456789012:role/copy'),
  objectiveSeconds: 60,
  dailyBudgetUsd: 10,
  serverless: null,
};

export interface Measured {
  readonly name: MetricName;
  readonly value: number;
  readonly table?: string | undefined;
}

/** A warehouse, its staging and its loader in memory, and what must be in it. */
export class LoadingSite {
  readonly clock = new Clock();
  readonly staging: MemoryStaging;
  readonly warehouse: MemoryWarehouse;
  readonly control: ControlStore = createMemoryControlStore();
  readonly registry: SchemaRegistry = createMemorySchemaRegistry();
  readonly metrics: Measured[] = [];
  readonly errors: Readonly<Record<string, unknown>>[] = [];
  private readonly staged = new Map<string, Envelope[]>();
  private owners = 0;

  constructor(maxReceives?: number) {
    this.staging = new MemoryStaging(this.clock, maxReceives);
    this.warehouse = new MemoryWarehouse(this.clock, this.staging);
  }

  get ports(): LoaderPorts {
    const { staging, warehouse, control, registry, clock } = this;
    return {
      statements: warehouse,
      queue: staging,
      manifests: staging,
      control,
      registry,
      now: clock.now,
      metrics: { add: (name, value, { table }) => void this.metrics.push({ name, value, table }) },
      log: {
        info: () => undefined,
        warn: () => undefined,
        error: (message, _thrown, fields) => void this.errors.push({ message, ...fields }),
      },
    };
  }

  loader(settings: Partial<LoaderSettings> = {}, ports: Partial<LoaderPorts> = {}): Loader {
    return createLoader({ ...this.ports, ...ports }, { ...SETTINGS, ...settings });
  }

  async register(table: string, schema: TableSchema): Promise<void> {
    await this.registry.save(table, schema);
  }

  /** Stages one object of these changes. */
  stage(table: string, envelopes: readonly Envelope[], schema: TableSchema): string {
    this.staged.set(table, [...(this.staged.get(table) ?? []), ...envelopes]);
    return this.staging.stage(
      table,
      envelopes.map((envelope) => stagedLine(envelope, schema)),
    );
  }

  /** One run of a loader, a minute after the last. */
  async run(loader: Loader = this.loader(), seconds = 300): Promise<LoadReport> {
    this.clock.advance(60);
    return loader.run({ owner: `run-${this.owners++}`, deadlineMillis: this.clock.millis + seconds * 1000 });
  }

  /** Runs loaders that start cold, hour after hour, till nothing is left but what is dead. */
  async settle(settings: Partial<LoaderSettings> = {}): Promise<void> {
    for (let round = 0; round < 60; round++) {
      this.clock.advance(3600);
      await this.run(this.loader(settings));
      const inFlight = await this.control.readLoadInFlight();
      if (this.staging.left === 0 && Object.keys(inFlight?.tables ?? {}).length === 0) return;
    }
    throw new Error(`after 60 rounds there are ${this.staging.left} notices left`);
  }

  /** What readers see, and what they should: versions and rows by key hash. */
  found(table: string): Record<string, unknown> {
    return Object.fromEntries(this.warehouse.rows(table));
  }

  expected(table: string): Record<string, unknown> {
    const rows = materialize(this.staged.get(table) ?? []);
    return Object.fromEntries(
      [...rows].map(([keyHash, { version, row }]) => [keyHash, { version, row: JSON.parse(row ?? 'null') as unknown }]),
    );
  }
}

/**
 * Ports that count their calls and end the process before or after one of them: from then on none does anything. With
 * `lost` the call is done and said to have failed, and the process lives on.
 */
export function dyingPorts(
  ports: LoaderPorts,
  at: number,
  when: 'before' | 'after' | 'lost',
): LoaderPorts & { calls(): number } {
  let calls = 0;
  let isDead = false;
  const wrap = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]): Promise<unknown> => {
          calls++;
          if (isDead) throw new Crash('it is dead already');
          const isNow = calls === at;
          isDead = isNow && when !== 'lost';
          if (isNow && when === 'before') throw new Crash(`killed before ${String(name)}`);
          const result: unknown = await Reflect.apply(method, target, given);
          if (isNow && when === 'lost') throw new GlasshouseError('unavailable', 'The reply was lost (scripted).');
          if (isNow) throw new Crash(`killed after ${String(name)}`);
          return result;
        };
      },
    });
  return {
    ...ports,
    statements: wrap(ports.statements),
    queue: wrap(ports.queue),
    manifests: wrap(ports.manifests),
    control: wrap(ports.control),
    registry: wrap(ports.registry),
    calls: () => calls,
  };
}

/** Ports whose calls take a while each, as the dice say: what runs beside them comes in between. */
export function slowPorts(ports: LoaderPorts, ticks: () => number): LoaderPorts {
  const wrap = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]): Promise<unknown> => {
          for (let tick = ticks(); tick > 0; tick--) await Promise.resolve();
          const result: unknown = await Reflect.apply(method, target, given);
          for (let tick = ticks(); tick > 0; tick--) await Promise.resolve();
          return result;
        };
      },
    });
  return {
    ...ports,
    statements: wrap(ports.statements),
    queue: wrap(ports.queue),
    manifests: wrap(ports.manifests),
    control: wrap(ports.control),
    registry: wrap(ports.registry),
  };
}

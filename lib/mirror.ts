import { Annotations } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { MirrorConfig, Mirror as ValidMirror } from '../core/config.ts';
import { validateMirror } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import { allowedSeconds } from './allowed-freshness.ts';
import { TableCapture } from './capture.ts';
import { Control } from './control.ts';
import { DeploymentRecord } from './deployment-record.ts';
import { Lakehouse } from './lakehouse.ts';
import { Monitoring } from './monitoring.ts';
import { nextSteps } from './next-steps.ts';
import { OWN_BUNDLES } from './own-package.ts';
import { Redrive } from './redrive.ts';
import { SchemaRegistrar } from './schema-registrar.ts';
import { SourceTable } from './source-table.ts';
import type { TableStreams } from './table-streams.ts';
import { Warehouse } from './warehouse.ts';

/** Where the parts of a mirror are put: stacks of their own, or any other scopes. Whatever is left out goes into the mirror's own scope. */
export interface MirrorScopes {
  /** The key, what the functions remember, what is set aside, new source tables. */
  readonly control?: Construct;
  /** The functions behind the streams. It depends on the targets. */
  readonly capture?: Construct;
  readonly lakehouse?: Construct;
  readonly warehouse?: Construct;
  /** The dashboard, the alarms and the outputs. It depends on all the others. */
  readonly monitoring?: Construct;
}

export interface MirrorProps {
  /** What `glasshouse.config.ts` exports, or the same written here. It is checked, and every mistake is told with its remedy. */
  readonly config: MirrorConfig;
  /** Default: all parts in the scope of the mirror. */
  readonly scopes?: MirrorScopes;
  /**
   * Tables of the same app, by the mirror's name of each: they need no `aws` in the configuration. Each has a stream with
   * new and old images.
   */
  readonly tables?: Readonly<Record<string, ITable>>;
  /** The folder with the bundles of the functions, one folder a function. Default: those of this package. */
  readonly bundles?: string;
}

/**
 * A mirror of DynamoDB tables in the lakehouse, in the warehouse, or in both: everything that it needs on AWS.
 *
 * ```ts
 * new Mirror(this, 'Shop', {
 *   config: {
 *     name: 'shop',
 *     tables: { orders: {} },
 *     targets: { lakehouse: true },
 *   },
 *   tables: { orders: ordersTable },
 * });
 * ```
 * Throws GlasshouseError `config` that names each mistake of the configuration with its remedy.
 */
export class Mirror extends Construct {
  readonly control: Control;
  readonly sources: readonly SourceTable[];
  /** Null where the mirror has no such target; so for `warehouse`. */
  readonly lakehouse: Lakehouse | null;
  readonly warehouse: Warehouse | null;
  readonly captures: readonly TableCapture[];
  readonly redrive: Redrive;
  readonly monitoring: Monitoring;

  constructor(scope: Construct, id: string, props: MirrorProps) {
    super(scope, id);
    const { scopes = {} } = props;
    const mirror = validateMirror(props.config);
    checkTables(mirror, props.tables ?? {});
    const inControl = scopes.control ?? this;
    this.control = new Control(inControl, 'Control', { mirror, bundles: props.bundles ?? OWN_BUNDLES });
    const { control } = this;
    this.sources = mirror.tables.map(
      (table) =>
        new SourceTable(inControl, `Source-${table.name}`, control.context, table, props.tables?.[table.name] ?? null),
    );
    const { sources } = this;
    const registrar = new SchemaRegistrar(inControl, 'Registrar', { control, tables: sources });

    this.lakehouse = mirror.targets.lakehouse
      ? new Lakehouse(scopes.lakehouse ?? this, 'Lakehouse', { control, registrar, sources })
      : null;
    this.warehouse = mirror.targets.warehouse
      ? new Warehouse(scopes.warehouse ?? this, 'Warehouse', {
          control,
          sources,
          viewSchema: mirror.targets.warehouse.schema,
        })
      : null;
    const { lakehouse, warehouse } = this;
    warnOfObjective(this, mirror, warehouse);

    const inCapture = scopes.capture ?? this;
    this.captures = sources.map((source) => {
      const { name } = source.table;
      const capture = new TableCapture(inCapture, `Capture-${name}`, {
        control,
        source,
        streams: this.streamsOf(name),
      });
      // The first record finds its table's schema.
      const schema = registrar.schemas.get(name);
      if (schema) capture.node.addDependency(schema);
      return capture;
    });
    this.redrive = new Redrive(inCapture, 'Redrive', { control, lakehouse, warehouse });
    new DeploymentRecord(inCapture, 'Deployment', { control, redrive: this.redrive, lakehouse, warehouse });
    const inMonitoring = scopes.monitoring ?? this;
    this.monitoring = this.watch(inMonitoring, mirror);
    nextSteps(inMonitoring, mirror, {
      database: lakehouse?.lake.database ?? null,
      viewSchema: warehouse?.viewSchema ?? null,
    });
  }

  private streamsOf(table: string): TableStreams {
    return {
      lakehouse: this.lakehouse?.streams.get(table) ?? null,
      warehouse: this.warehouse?.streams.get(table) ?? null,
    };
  }

  private watch(scope: Construct, mirror: ValidMirror): Monitoring {
    const { lakehouse, warehouse } = this;
    return new Monitoring(scope, 'Monitoring', {
      mirror,
      topic: this.control.alarms,
      tables: mirror.tables.flatMap(({ name }, at) => {
        const capture = this.captures[at];
        if (!capture) return [];
        const streams = this.streamsOf(name);
        return [
          {
            name,
            capture: capture.function.function,
            mapping: capture.mapping,
            streams: {
              lakehouse: streams.lakehouse?.streamName ?? null,
              warehouse: streams.warehouse?.streamName ?? null,
            },
          },
        ];
      }),
      redrive: this.redrive.function.function,
      lakehouse: lakehouse && {
        merge: lakehouse.merge.function.function,
        machine: lakehouse.merge.machine,
        workgroup: lakehouse.lake.workgroup,
        database: lakehouse.lake.database,
      },
      warehouse: warehouse && {
        load: warehouse.function.function,
        queue: warehouse.staging.queue,
        deadLetters: warehouse.staging.deadLetters,
        redshift: warehouse.redshift.address,
      },
    });
  }
}

/** An objective that the settings cannot hold is told at once, with what to change. */
function warnOfObjective(scope: Construct, mirror: ValidMirror, warehouse: Warehouse | null): void {
  const { objectiveSeconds } = mirror.freshness;
  const { lakehouse, redshift } = mirror.aws;
  const baseCapacity = warehouse?.redshift.address.baseCapacity ?? null;
  const warn = (target: 'lakehouse' | 'warehouse', remedy: string): void => {
    const allowed = allowedSeconds(mirror, target, baseCapacity);
    if (allowed <= objectiveSeconds) return;
    Annotations.of(scope).addWarningV2(
      `glasshouse:objective-${target}`,
      `freshness.objectiveSeconds is ${objectiveSeconds}, and with these settings the ${target} can be ${allowed} s behind, from where on its alarm goes off; ${remedy}.`,
    );
  };
  if (mirror.targets.lakehouse) {
    warn(
      'lakehouse',
      `lower aws.lakehouse.mergeEveryMinutes (${lakehouse.mergeEveryMinutes}), or raise the objective: <table>_live is fresher than the merges`,
    );
  }
  if (warehouse) {
    warn(
      'warehouse',
      `raise aws.redshift.dailyBudgetUsd (${redshift.dailyBudgetUsd}), which pays for so many wake-ups and no more, or raise the objective`,
    );
  }
}

/** A table that the configuration does not know would be mirrored nowhere. */
function checkTables(mirror: ValidMirror, tables: Readonly<Record<string, ITable>>): void {
  const known = mirror.tables.map((table) => table.name);
  const unknown = Object.keys(tables).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new GlasshouseError(
    'config',
    `The property \`tables\` names ${unknown.join(', ')}, and the configuration's tables are ${known.join(', ')}; use the same names, as in config.tables.${unknown[0] ?? ''}: {}.`,
  );
}

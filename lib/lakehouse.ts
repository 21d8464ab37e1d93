import { Construct } from 'constructs';
import type { Control } from './control.ts';
import { Lake } from './lake.ts';
import { LakeMerge } from './lake-merge.ts';
import { LakePermissions } from './lake-permissions.ts';
import { LakeStream } from './lake-stream.ts';
import { LakeTables } from './lake-tables.ts';
import type { SchemaRegistrar } from './schema-registrar.ts';
import type { SourceTable } from './source-table.ts';

export interface LakehouseProps {
  readonly control: Control;
  readonly registrar: SchemaRegistrar;
  readonly sources: readonly SourceTable[];
}

/** The lakehouse target: for each table a changelog that Firehose appends to, a state that is merged from it, and two views. */
export class Lakehouse extends Construct {
  readonly lake: Lake;
  readonly tables: LakeTables;
  /** By table. */
  readonly streams: ReadonlyMap<string, LakeStream>;
  readonly merge: LakeMerge;

  constructor(scope: Construct, id: string, props: LakehouseProps) {
    super(scope, id);
    const { control, sources } = props;
    this.lake = new Lake(this, 'Lake', control);
    this.tables = new LakeTables(this, 'Tables', { ...props, lake: this.lake });
    this.streams = new Map(
      sources.map(({ table }) => {
        const stream = new LakeStream(this, `Stream-${table.name}`, { control, lake: this.lake, table });
        const made = this.tables.tables.get(table.name);
        // Firehose looks for the table when the stream is made.
        if (made) stream.resource.node.addDependency(made);
        return [table.name, stream];
      }),
    );
    this.merge = new LakeMerge(this, 'Merge', { control, lake: this.lake });
    if (control.context.mirror.aws.lakehouse.lakeFormation) this.grantByLakeFormation();
  }

  private grantByLakeFormation(): void {
    const permissions = new LakePermissions(this, 'Permissions', this.lake, [
      { id: 'Registrar', role: this.tables.function.role, as: 'owner' },
      { id: 'Optimizer', role: this.tables.optimizerRole, as: 'writer' },
      { id: 'Merge', role: this.merge.function.role, as: 'writer' },
      { id: 'Machine', role: this.merge.machineRole, as: 'owner' },
      ...[...this.streams].map(([name, stream]) => ({
        id: `Stream-${name}`,
        role: stream.role,
        as: 'writer' as const,
      })),
    ]);
    // A table is made by a role that may make it, and a stream by one that may use it.
    for (const made of this.tables.tables.values()) made.node.addDependency(permissions);
  }
}

import { Duration } from 'aws-cdk-lib';
import type { CustomResource } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { functionName } from '../core/aws-names.ts';
import type { Control } from './control.ts';
import { MirrorFunction } from './mirror-function.ts';
import type { SourceTable } from './source-table.ts';
import { tableRegistration } from './table-registration.ts';

export interface SchemaRegistrarProps {
  readonly control: Control;
  readonly tables: readonly SourceTable[];
}

/** Registers the first schema of each table, before anything reads the table's stream. */
export class SchemaRegistrar extends Construct {
  readonly function: MirrorFunction<'registrar'>;
  /** By table: whatever needs the table's schema depends on it. */
  readonly schemas: ReadonlyMap<string, CustomResource>;

  constructor(scope: Construct, id: string, props: SchemaRegistrarProps) {
    super(scope, id);
    const { control, tables } = props;
    const { mirror } = control.context;
    this.function = new MirrorFunction(this, 'Function', control.context, {
      role: 'registrar',
      functionName: functionName(mirror.name, 'registrar'),
      description: `Registers the schemas of the mirror ${mirror.name} when it is deployed`,
      environment: {
        MIRROR: mirror.name,
        CONTROL_TABLE: control.table.tableName,
        DATABASE: '',
        LAKE_BUCKET: '',
        WORKGROUP: '',
        OPTIMIZER_ROLE_ARN: '',
        SNAPSHOT_DAYS: '',
      },
      timeout: Duration.minutes(5),
      memoryMb: 512,
    });
    control.grantTable(this.function, ['dynamodb:Query', 'dynamodb:PutItem']);
    for (const source of tables) {
      // Where the configuration says the key, nothing is asked.
      if (source.table.key === null) source.grantDescribe(this.function);
    }
    this.schemas = new Map(
      tables.map(({ table, tableArn }) => [
        table.name,
        tableRegistration(this, `Schema-${table.name}`, this.function, { part: 'schema', table, sourceArn: tableArn }),
      ]),
    );
  }
}

import { join } from 'node:path';
import { changelogName } from '../core/lake-tables.ts';

/** Where everything of a mirror lies below its folder. */
export interface Layout {
  readonly dir: string;
  readonly state: string;
  readonly schemas: string;
  readonly quarantine: string;
  readonly warehouse: string;
  readonly dynamodb: string;
  readonly mirrorFile: string;
  readonly lockFile: string;
  readonly spill: string;
  lakeTable(name: string): string;
  changelog(table: string): string;
}

export function layoutOf(dir: string): Layout {
  const lakeTable = (name: string): string => join(dir, 'lakehouse', name);
  return {
    dir,
    state: join(dir, 'state'),
    schemas: join(dir, 'state', 'schemas'),
    quarantine: join(dir, 'quarantine'),
    warehouse: join(dir, 'warehouse'),
    dynamodb: join(dir, 'dynamodb'),
    mirrorFile: join(dir, 'state', 'mirror.json'),
    lockFile: join(dir, 'state', 'lock'),
    spill: join(dir, 'state', 'spill'),
    lakeTable,
    changelog: (table) => lakeTable(changelogName(table)),
  };
}

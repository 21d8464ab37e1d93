import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Duck } from '../../../adapters/duckdb/connection.ts';
import { openDuck } from '../../../adapters/duckdb/connection.ts';
import type { LakeChangelog } from '../../../adapters/lakehouse/changelog.ts';
import { openChangelog } from '../../../adapters/lakehouse/changelog.ts';
import type { LakeState } from '../../../adapters/lakehouse/state.ts';
import { openState } from '../../../adapters/lakehouse/state.ts';
import type { TableSchema } from '../../../core/schema.ts';
import type { TargetUnderTest } from '../../support/contracts/target.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A table of a lakehouse on disk: its changelog and its state, and a second opening of the two. */
export interface LakeUnderTest extends TargetUnderTest {
  readonly changelog: LakeChangelog;
  readonly target: LakeState;
  reopen(): Promise<LakeState>;
  reopenChangelog(): Promise<LakeChangelog>;
}

/** Opens tables of the tests of one file, with one DuckDB and one folder for all of them. */
export function lakeOpener(): {
  readonly duck: () => Duck;
  readonly open: (schema?: TableSchema) => Promise<LakeUnderTest>;
} {
  const folder = temporaryFolder();
  let opened = 0;
  let duck: Duck | null = null;
  beforeAll(async () => {
    duck = await openDuck({ memoryLimit: '256MB' });
  });
  afterAll(() => duck?.close());
  const started = (): Duck => {
    if (duck === null) throw new Error('The tests have not begun.');
    return duck;
  };
  return {
    duck: started,
    open: async (schema = schemaOf()) => {
      const place = join(folder, String(++opened));
      const openBoth = async (): Promise<{ readonly changelog: LakeChangelog; readonly target: LakeState }> => {
        const changelog = await openChangelog(join(place, 'orders__changes'), started());
        return { changelog, target: await openState(join(place, 'orders'), schema, changelog, started()) };
      };
      const { changelog, target } = await openBoth();
      return {
        changelog,
        target,
        append: async (envelopes) => (await changelog.append(envelopes, null)).mark,
        reopen: async () => (await openBoth()).target,
        reopenChangelog: async () => (await openBoth()).changelog,
      };
    },
  };
}

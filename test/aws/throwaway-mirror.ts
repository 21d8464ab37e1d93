import type { MirrorConfig } from '../../core/config.ts';

/** The mirror's name of its only table: a word that SQL reserves, so that every statement shows that it quotes names. */
export const TABLE = 'order';

/** What an hour of the test may spend on waking Redshift is not to hold the loads back. */
const DAILY_BUDGET_USD = 100;
const OBJECTIVE_SECONDS = 120;

/** A name that no other mirror has. @param random eight hex digits */
export function throwawayName(random: string): string {
  return `gh_test_${random}`;
}

/** A mirror of one new table that leaves nothing behind. */
export function throwawayConfig(place: {
  readonly name: string;
  readonly region: string;
  readonly isLakehouseOnly: boolean;
}): MirrorConfig {
  const { name, region, isLakehouseOnly } = place;
  return {
    name,
    tables: {
      [TABLE]: {
        from: `${name}-order`,
        key: { group: 'S', number: 'N' },
        columns: {
          happened_at: 'timestamp',
          born_on: 'date',
          ratio: 'double',
          pieces: 'long',
          price: 'decimal(38,2)',
        },
        aws: { create: true },
      },
    },
    targets: isLakehouseOnly ? { lakehouse: true } : { lakehouse: true, warehouse: true },
    freshness: { objectiveSeconds: OBJECTIVE_SECONDS },
    aws: {
      region,
      onDestroy: 'delete',
      logRetentionDays: 1,
      capture: { parallelization: 10 },
      ...(isLakehouseOnly ? {} : { redshift: { dailyBudgetUsd: DAILY_BUDGET_USD, bufferSeconds: 15 } }),
    },
  };
}

/** The file that the CDK app reads. */
export function configText(config: MirrorConfig): string {
  return `export default ${JSON.stringify(config, null, 2)};\n`;
}

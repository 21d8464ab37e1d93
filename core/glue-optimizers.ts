/** How Glue keeps one table up: the three optimizers, as CreateTableOptimizer and UpdateTableOptimizer take them. */
export interface Optimizer {
  readonly type: 'compaction' | 'retention' | 'orphan_file_deletion';
  readonly configuration: OptimizerConfiguration;
}

export interface OptimizerConfiguration {
  readonly roleArn: string;
  readonly enabled: true;
  readonly compactionConfiguration?: { readonly icebergConfiguration: { readonly strategy: 'binpack' } };
  readonly retentionConfiguration?: {
    readonly icebergConfiguration: {
      readonly snapshotRetentionPeriodInDays: number;
      readonly numberOfSnapshotsToRetain: number;
      readonly cleanExpiredFiles: true;
      readonly runRateInHours: number;
    };
  };
  readonly orphanFileDeletionConfiguration?: {
    readonly icebergConfiguration: {
      readonly orphanFileRetentionPeriodInDays: number;
      readonly location: string;
      readonly runRateInHours: number;
    };
  };
}

/** What differs between a changelog's upkeep and a state's. */
interface Upkeep {
  readonly snapshotDays: number;
  readonly retentionEveryHours: number;
  readonly orphanDays: number;
}

/**
 * A changelog takes a commit every few seconds, and each of its snapshots is a line in a metadata file that every commit
 * writes anew: at one in 15 s, five days of them are some 20 MB. It has every version of every row anyway, so a day is
 * enough, swept as often as Glue allows. Its orphans are kept long: a file that Firehose wrote and could not commit is
 * named in an error object and is brought in by `redrive`, and must still be there when somebody comes to it.
 */
const CHANGELOG_UPKEEP: Upkeep = { snapshotDays: 1, retentionEveryHours: 3, orphanDays: 30 };
const STATE_UPKEEP = { retentionEveryHours: 24, orphanDays: 3 } as const;

const ORPHANS_EVERY_HOURS = 24;

/** What an optimizer is made with: its role, the table's location, and how many days old snapshots of a state are kept. */
export interface OptimizerSettings {
  readonly roleArn: string;
  readonly location: string;
  readonly snapshotDays: number;
}

/** The optimizers of a changelog or of a state table. */
export function optimizersOf(kind: 'changelog' | 'state', settings: OptimizerSettings): readonly Optimizer[] {
  const upkeep: Upkeep =
    kind === 'changelog' ? CHANGELOG_UPKEEP : { ...STATE_UPKEEP, snapshotDays: settings.snapshotDays };
  const every = { roleArn: settings.roleArn, enabled: true } as const;
  return [
    {
      type: 'compaction',
      configuration: { ...every, compactionConfiguration: { icebergConfiguration: { strategy: 'binpack' } } },
    },
    {
      type: 'retention',
      configuration: {
        ...every,
        retentionConfiguration: {
          icebergConfiguration: {
            snapshotRetentionPeriodInDays: upkeep.snapshotDays,
            numberOfSnapshotsToRetain: 1,
            cleanExpiredFiles: true,
            runRateInHours: upkeep.retentionEveryHours,
          },
        },
      },
    },
    {
      type: 'orphan_file_deletion',
      configuration: {
        ...every,
        orphanFileDeletionConfiguration: {
          icebergConfiguration: {
            orphanFileRetentionPeriodInDays: upkeep.orphanDays,
            location: settings.location,
            runRateInHours: ORPHANS_EVERY_HOURS,
          },
        },
      },
    },
  ];
}

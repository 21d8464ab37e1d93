import { ControlTable } from '../../adapters/aws/control-table.ts';
import type { Timing } from '../../adapters/aws/timing.ts';
import type { Mirror, MirrorTable } from '../../core/config.ts';
import type { Deployment } from '../../core/contract.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { Clients } from '../../deployed/clients.ts';
import type { DeployedStatus, TargetName } from '../../deployed/results.ts';
import type { Freshness } from './freshness.ts';
import { measureFreshness } from './freshness.ts';
import type { SourceChange } from './source-changes.ts';
import { extraChange, writeChanges } from './source-changes.ts';

const LOOK_EVERY_MS = 10_000;
const PATIENCE_MS = 20 * 60_000;
/** What is on its way through capture and Firehose when a target is looked at is in it after so long. */
const ON_THE_WAY_MS = 90_000;
const PROBES = 30;
const PROBE_EVERY_MS = 10_000;
const LOOK_FOR_PROBE_MS = 1_000;

/** A deployed mirror that is written to, and that is watched catching up. */
export class MeasuredMirror {
  /** Changes that were written to the source. */
  written = 0;
  private lastWriteMillis = 0;
  private readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  async write(changes: readonly SourceChange[]): Promise<void> {
    const { clients, table, timing, signal } = this.place;
    signal.throwIfAborted();
    await writeChanges(clients.dynamodb(), table.from, changes);
    this.written += changes.length;
    this.lastWriteMillis = timing.now();
  }

  /** Waits until every target has taken in what was written. Throws GlasshouseError `unavailable` after 20 minutes. */
  async untilFresh(): Promise<DeployedStatus> {
    const { timing, signal, table } = this.place;
    const endMillis = timing.now() + PATIENCE_MS;
    for (;;) {
      const status = await this.place.status();
      const targets = Object.entries(status.tables.find((one) => one.table === table.name)?.targets ?? {});
      const behind = targets.filter(([, target]) => !this.isFresh(target));
      if (behind.length === 0 && targets.length > 0) return status;
      if (timing.now() >= endMillis) throw this.tooLate(behind.map(([name, { changes }]) => `${name} has ${changes}`));
      await timing.wait(LOOK_EVERY_MS, signal);
      signal.throwIfAborted();
    }
  }

  private isFresh({ changes, lagMs }: { readonly changes: number; readonly lagMs: number | null }): boolean {
    const freshAtMillis = lagMs === null ? 0 : this.place.timing.now() - lagMs;
    return changes >= this.written && freshAtMillis >= this.lastWriteMillis + ON_THE_WAY_MS;
  }

  private tooLate(behind: readonly string[]): GlasshouseError {
    return new GlasshouseError(
      'unavailable',
      `After ${PATIENCE_MS / 60_000} min not all of the ${this.written} changes are taken in: ${behind.join(', ') || 'no target tells'}. Run again with --keep, and look at the dashboard.`,
    );
  }

  /** Writes a row every ten seconds, and sees when each target has it. */
  async measure(): Promise<Partial<Record<TargetName, Freshness>>> {
    const { clients, deployment, mirror, table, timing, signal } = this.place;
    const control = new ControlTable(clients.dynamodb(), deployment.controlTable);
    const targets = (['lakehouse', 'warehouse'] as const).filter((target) => deployment[target] !== null);
    return measureFreshness(
      {
        write: (n) => this.write([extraChange('fresh', n)]),
        takenIn: async (target) => (await control.readProgress(table.name, target))?.changes ?? 0,
        now: () => timing.now(),
        wait: async (ms) => {
          await timing.wait(ms, signal);
          signal.throwIfAborted();
        },
      },
      {
        targets,
        rows: PROBES,
        everyMs: PROBE_EVERY_MS,
        lookEveryMs: LOOK_FOR_PROBE_MS,
        patienceMs: 5 * mirror.freshness.objectiveSeconds * 1000,
      },
    );
  }
}

export interface Place {
  readonly clients: Clients;
  readonly mirror: Mirror;
  readonly table: MirrorTable;
  readonly deployment: Deployment;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  status(): Promise<DeployedStatus>;
}

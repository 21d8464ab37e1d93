import type { Lease, Progress } from '../../core/control.ts';
import { progressText } from '../../core/control.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { ControlStore, LoadInFlight, LoadSpend } from '../../flows/control-store.ts';

/** A control store that lives as long as its object does. What is kept is text, as others keep it. */
export function createMemoryControlStore(): ControlStore {
  const progresses = new Map<string, string>();
  const leases = new Map<string, Lease>();
  const spends = new Map<string, LoadSpend>();
  let inFlight: string | null = null;
  return {
    readProgress(table, target) {
      const text = progresses.get(`${target} ${table}`);
      return Promise.resolve(text === undefined ? null : (JSON.parse(text) as Progress));
    },
    writeProgress(table, target, progress, before) {
      const name = `${target} ${table}`;
      const stands = progresses.get(name) ?? null;
      const next = progressText(progress);
      if (stands !== (before === null ? null : progressText(before)) && stands !== next) {
        const message = `How far the ${target} of ${table} is was recorded by another run meanwhile; read it again and go on from there.`;
        return Promise.reject(new GlasshouseError('conflict', message));
      }
      progresses.set(name, next);
      return Promise.resolve();
    },
    takeLease(name, owner, nowMillis, untilMillis) {
      const held = leases.get(name);
      const isFree = held === undefined || held.untilMillis <= nowMillis || held.owner === owner;
      if (isFree) leases.set(name, { owner, untilMillis });
      return Promise.resolve(isFree);
    },
    releaseLease(name, owner) {
      if (leases.get(name)?.owner === owner) leases.delete(name);
      return Promise.resolve();
    },
    readLease: (name) => Promise.resolve(leases.get(name) ?? null),
    readLoadInFlight: () => Promise.resolve(inFlight === null ? null : (JSON.parse(inFlight) as LoadInFlight)),
    writeLoadInFlight(load) {
      inFlight = load === null ? null : JSON.stringify(load);
      return Promise.resolve();
    },
    readLoadSpend: (day) => Promise.resolve(spends.get(day) ?? NOTHING_SPENT),
    addLoadSpend(day, { wakeUps, billedSeconds }) {
      const before = spends.get(day) ?? NOTHING_SPENT;
      spends.set(day, {
        wakeUps: before.wakeUps + wakeUps,
        billedSeconds: before.billedSeconds + billedSeconds,
      });
      return Promise.resolve();
    },
  };
}

const NOTHING_SPENT: LoadSpend = { wakeUps: 0, billedSeconds: 0 };

import { GlasshouseError } from '../../core/errors.ts';

/**
 * What a port does on one call. `refuse`: nothing, and says it is unavailable. `lose-reply`: all of it, and says it is
 * unavailable. `conflict`: nothing, since another was faster. `crash`: nothing, with an error that nobody classified;
 * `crash-after`: all of it, and then the same. After the script's end every call is `ok`.
 */
export type Fault = 'ok' | 'refuse' | 'lose-reply' | 'conflict' | 'crash' | 'crash-after';

/** The error that ends a mirror: as if its process had been killed. */
export class Crash extends Error {}

/** Plays a list of faults, one a call. */
export class FaultScript {
  private readonly faults: Fault[];
  /** The calls so far. */
  calls = 0;

  constructor(faults: readonly Fault[]) {
    this.faults = [...faults];
  }

  async play<T>(work: () => Promise<T>): Promise<T> {
    this.calls++;
    const fault = this.faults.shift() ?? 'ok';
    if (fault === 'refuse') throw new GlasshouseError('unavailable', 'It is away (scripted).');
    if (fault === 'conflict') throw new GlasshouseError('conflict', 'Another was faster (scripted).');
    if (fault === 'crash') throw new Crash('killed before (scripted)');
    const result = await work();
    if (fault === 'lose-reply') throw new GlasshouseError('unavailable', 'The reply was lost (scripted).');
    if (fault === 'crash-after') throw new Crash('killed after (scripted)');
    return result;
  }
}

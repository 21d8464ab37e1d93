import { parseArgs } from 'node:util';
import { GlasshouseError, messageOf } from '../../core/errors.ts';

/** How a test on a real account is to be made. */
export interface TestOptions {
  /** Nobody is asked before something is deployed. */
  readonly isAgreed: boolean;
  readonly isLakehouseOnly: boolean;
  /** The mirror is left standing at the end. */
  readonly isKept: boolean;
  /** Null: the environment's, or the profile's. */
  readonly region: string | null;
}

export const USAGE = `npm run test:aws -- [options]

Deploys a throw-away mirror into the AWS account of the environment, writes to it, waits, proves that the targets equal
the source, measures freshness, settles docs/unverified.md claim by claim, and destroys all of it again.

  --yes               do not ask before the deploy
  --lakehouse-only    without the warehouse, which is what costs most
  --region <region>   where (default: AWS_REGION, then the profile's)
  --keep              leave the mirror standing, to look at; it goes on costing
  --help              this text`;

/** Reads the command line; null where only help is asked for. Throws GlasshouseError `usage` for what it does not know. */
export function parseArguments(args: readonly string[]): TestOptions | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        yes: { type: 'boolean', default: false },
        'lakehouse-only': { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        region: { type: 'string' },
      },
    });
    if (values.help) return null;
    return {
      isAgreed: values.yes,
      isLakehouseOnly: values['lakehouse-only'],
      isKept: values.keep,
      region: values.region ?? null,
    };
  } catch (cause) {
    throw new GlasshouseError('usage', `${messageOf(cause)}\n\n${USAGE}`, { cause });
  }
}

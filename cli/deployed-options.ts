import type { Command } from 'commander';
import type { Mirror } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { DeployedOptions } from '../deployed/results.ts';
import type { Session, SharedOptions } from './session.ts';

/** The options of commands that can be asked of a deployed mirror. */
export interface PlaceOptions extends SharedOptions {
  readonly deployed?: boolean;
  readonly mirror?: string;
  readonly region?: string;
}

export function addPlaceOptions(command: Command): Command {
  return command
    .option('--deployed', 'ask the mirror that `cdk deploy` made, instead of the one in a folder')
    .option('--mirror <name>', "the deployed mirror's name (default: the configuration's)")
    .option('--region <region>', 'where it is deployed (default: aws.region of the configuration, then AWS_REGION)');
}

/** A deployed mirror, as the operations on it take it. */
export interface DeployedPlace {
  readonly mirror: Mirror;
  readonly options: DeployedOptions;
}

/** The deployed mirror that a command is about; null where it is about a folder. Throws `usage` where the options contradict each other. */
export async function deployedPlace(session: Session, options: PlaceOptions): Promise<DeployedPlace | null> {
  if (options.deployed === true) {
    if (options.dir !== undefined)
      throw new GlasshouseError('usage', '--dir names a folder, and --deployed a mirror in AWS: give one of them.');
    return { mirror: await session.loadMirror(), options: deployedOptions(session, options) };
  }
  const stray = options.mirror === undefined ? '--region' : '--mirror';
  if (options.mirror !== undefined || options.region !== undefined)
    throw new GlasshouseError('usage', `${stray} says where a deployed mirror is: give --deployed with it.`);
  return null;
}

export function deployedOptions(session: Session, options: Pick<PlaceOptions, 'mirror' | 'region'>): DeployedOptions {
  const { signal, log } = session.common;
  return { mirror: options.mirror ?? null, region: options.region ?? null, signal, log };
}

import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { explainFailure } from '../adapters/aws/failure.ts';
import { deploymentParameter } from '../core/aws-names.ts';
import type { Mirror } from '../core/config.ts';
import type { Deployment } from '../core/contract.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { Clients } from './clients.ts';
import type { DeployedOptions } from './results.ts';

/** Where a mirror is deployed: what the command line says, else the configuration, else the environment; null: the profile says. */
export function regionOf(mirror: Mirror, options: Pick<DeployedOptions, 'region'>): string | null {
  return options.region ?? mirror.aws.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? null;
}

/** What a deployed mirror says of itself; null where there is none of the name. */
export async function findDeployment(clients: Clients, mirror: string): Promise<Deployment | null> {
  const name = deploymentParameter(mirror);
  try {
    const { Parameter: parameter } = await clients.ssm().send(new GetParameterCommand({ Name: name }));
    return deploymentOf(parameter?.Value ?? '', name);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'ParameterNotFound') return null;
    throw explainFailure(thrown, `read where the mirror ${mirror} is deployed (SSM parameter ${name})`);
  }
}

/** The same. Throws GlasshouseError `config` where there is none. */
export async function deploymentOfMirror(
  mirror: Mirror,
  clients: Clients,
  options: DeployedOptions,
): Promise<Deployment> {
  const name = options.mirror ?? mirror.name;
  const found = await findDeployment(clients, name);
  if (found !== null) return found;
  const where = clients.region ?? 'the region of your profile';
  throw new GlasshouseError(
    'config',
    `There is no deployed mirror ${name} in ${where}. Deploy it with \`npx cdk deploy --all\`, or name its region with --region, ` +
      'its name with --mirror, and its account with AWS_PROFILE.',
  );
}

function deploymentOf(text: string, parameter: string): Deployment {
  const parsed = parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'controlTable' in parsed && 'redriveFunction' in parsed)
    return parsed as Deployment;
  throw new GlasshouseError(
    'corrupt',
    `The SSM parameter ${parameter} does not say where the mirror is. Deploy it again with \`npx cdk deploy --all\`, which writes it.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Told by the caller, with the parameter's name.
    return null;
  }
}

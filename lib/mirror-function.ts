import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Conditions } from 'aws-cdk-lib/aws-iam';
import { Architecture, AssetCode, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Environment, FunctionRole } from '../core/contract.ts';
import { GlasshouseError } from '../core/errors.ts';
import { METRIC_NAMESPACE } from '../core/metric-names.ts';
import { mirrorLogGroup } from './mirror-log-group.ts';
import type { SealedContext } from './mirror-context.ts';
import { explainWildcards } from './wildcards.ts';

export interface MirrorFunctionProps<Name extends FunctionRole> {
  /** Which of the bundles it runs. */
  readonly role: Name;
  readonly functionName: string;
  readonly description: string;
  readonly environment: Environment<Name>;
  /** At most 15 minutes. */
  readonly timeout: Duration;
  readonly memoryMb: number;
}

/**
 * A function of the mirror: arm64, its bundle from `npm run build`, its own role with nothing but what it is allowed, its
 * own log group, traced.
 */
export class MirrorFunction<Name extends FunctionRole> extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, context: SealedContext, props: MirrorFunctionProps<Name>) {
    super(scope, id);
    const logGroup = mirrorLogGroup(this, context, `/aws/lambda/${props.functionName}`);
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Runs the ${props.role} function of the mirror ${context.mirror.name}`,
    });
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
    this.function = new LambdaFunction(this, 'Function', {
      functionName: props.functionName,
      description: props.description,
      architecture: Architecture.ARM_64,
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: bundleOf(props.role, context.bundles),
      role: this.role,
      logGroup,
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: props.role,
        POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
        ...props.environment,
      },
      environmentEncryption: context.key,
      tracing: Tracing.ACTIVE,
      timeout: props.timeout,
      memorySize: props.memoryMb,
    });
    explainWildcards(this.role, ['*'], 'Traces go to X-Ray, which takes no resource.');
  }

  /** Lets the function do something. Every action here is one that its code calls, or that AWS asks for on the way. */
  allow(actions: readonly string[], resources: readonly string[], conditions?: Conditions): void {
    this.role.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: [...actions],
        resources: [...resources],
        ...(conditions ? { conditions } : {}),
      }),
    );
  }
}

/** Throws GlasshouseError `config` where the bundle has not been built. */
function bundleOf(role: FunctionRole, bundles: string): AssetCode {
  const folder = join(bundles, role);
  if (!existsSync(join(folder, 'index.mjs'))) {
    throw new GlasshouseError(
      'config',
      `${join(folder, 'index.mjs')}, the bundle of the ${role} function, is missing; run \`npm run build\` in the folder of Glasshouse, or install the package again.`,
    );
  }
  return new AssetCode(folder);
}

/** The longest that Lambda lets a function run. */
export const LONGEST_RUN = Duration.minutes(15);

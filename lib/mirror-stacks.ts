import { CrossStackReferences, ReferenceStrength, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { MirrorConfig } from '../core/config.ts';
import { validateMirror } from '../core/config.ts';
import { Mirror } from './mirror.ts';

/**
 * A mirror in stacks of its own: `ShopControl`, `ShopCapture`, `ShopMonitoring`, and `ShopLakehouse` and `ShopWarehouse`
 * for the targets that it has.
 * @param environment the account and region where the configuration names none
 */
export function mirrorStacks(
  scope: Construct,
  config: MirrorConfig,
  options: {
    readonly environment?: { readonly account?: string | undefined; readonly region?: string | undefined };
    readonly bundles?: string;
  } = {},
): Mirror {
  const mirror = validateMirror(config);
  const { aws, targets } = mirror;
  const account = aws.account ?? options.environment?.account;
  const region = aws.region ?? options.environment?.region;
  const prefix = stackPrefix(mirror.name);
  const stack = (part: string, description: string) => {
    const props: StackProps = {
      env: { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) },
      description: `Glasshouse mirror ${mirror.name}: ${description}`,
      tags: { 'glasshouse:mirror': mirror.name },
    };
    const made = new Stack(scope, `${prefix}${part}`, props);
    // By CloudFormation's exports a table or a target could not be removed in one deploy: its stack comes first, and what it
    // exports would be in use by the next.
    CrossStackReferences.of(made).consume(ReferenceStrength.WEAK);
    return made;
  };
  const control = stack('Control', 'what the other stacks share');
  return new Mirror(control, 'Mirror', {
    config,
    ...(options.bundles === undefined ? {} : { bundles: options.bundles }),
    scopes: {
      control,
      ...(targets.lakehouse ? { lakehouse: stack('Lakehouse', 'the Iceberg tables') } : {}),
      ...(targets.warehouse ? { warehouse: stack('Warehouse', 'the Redshift tables') } : {}),
      capture: stack('Capture', 'the functions behind the streams'),
      monitoring: stack('Monitoring', 'dashboard and alarms'),
    },
  });
}

/** `my_shop` is `MyShop`. */
function stackPrefix(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

import { App } from 'aws-cdk-lib';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { validateMirror } from '../../core/config.ts';
import type { Mirror as ValidMirror, MirrorConfig } from '../../core/config.ts';
import type { AwsConfig } from '../../core/config/aws-config.ts';
import { mirrorStacks } from '../../lib/mirror-stacks.ts';
import type { DeployedResource } from './deployed-world.ts';
import { ACCOUNT, REGION, deployedResources } from './deployed-world.ts';

export const ORDERS_ARN = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/prod-Orders`;
export const ORDERS_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/of-the-customer`;
const COPY_ROLE = `arn:aws:iam::${ACCOUNT}:role/redshift-copy`;
export const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:loader-AbCdEf`;

function variant(targets: MirrorConfig['targets'], aws: AwsConfig = {}): MirrorConfig {
  return {
    name: 'shop',
    tables: {
      orders: {
        aws: { arn: ORDERS_ARN, streamArn: `${ORDERS_ARN}/stream/2026-11-22T09:00:00.000`, kmsKeyArn: ORDERS_KEY },
      },
      carts: { from: 'prod-Carts', key: { cart_id: 'S' }, aws: { create: true } },
    },
    targets,
    aws: { account: ACCOUNT, region: REGION, ...aws },
  };
}

const warehouse = { warehouse: { schema: 'shop' } };

/** Mirrors of every kind of target. */
export const VARIANTS = {
  'both targets': variant({ lakehouse: true, ...warehouse }, { alarmEmail: 'you@example.com' }),
  'a lakehouse under Lake Formation, to be deleted': variant(
    { lakehouse: true },
    { onDestroy: 'delete', lakehouse: { lakeFormation: true } },
  ),
  'a new cluster': variant(warehouse, {
    redshift: { newCluster: { nodeType: 'ra3.large', nodes: 2 }, subnetIds: ['subnet-0123456789abcdef0'] },
  }),
  'a workgroup that is there': variant(warehouse, {
    redshift: { serverless: { workgroup: 'analytics', copyRoleArn: COPY_ROLE } },
  }),
  'a workgroup that is there, with a secret': variant(warehouse, {
    redshift: { serverless: { workgroup: 'analytics', copyRoleArn: COPY_ROLE, secretArn: SECRET } },
  }),
  'a cluster that is there, with a user': variant(warehouse, {
    redshift: { cluster: { identifier: 'analytics', copyRoleArn: COPY_ROLE, dbUser: 'loader' } },
  }),
} as const satisfies Readonly<Record<string, MirrorConfig>>;

export type VariantName = keyof typeof VARIANTS;
export const VARIANT_NAMES = Object.keys(VARIANTS) as readonly VariantName[];

export interface Variant {
  readonly name: VariantName;
  readonly mirror: ValidMirror;
  /** Synthesised, so that whatever is decided at the end is there. */
  readonly app: App;
  readonly assembly: CloudAssembly;
  readonly resources: readonly DeployedResource[];
}

/** Synthesises a mirror in stacks of its own. */
export function synthesise(name: VariantName, bundles: string): Variant {
  const app = new App();
  mirrorStacks(app, VARIANTS[name], { bundles });
  const assembly = app.synth();
  return { name, mirror: validateMirror(VARIANTS[name]), app, assembly, resources: deployedResources(assembly) };
}

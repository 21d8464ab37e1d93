import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FunctionRole, RedshiftAddress } from '../../core/contract.ts';
import { ENVIRONMENT, FUNCTION_ROLES } from '../../core/contract.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
/** What the package is made from: the tree without what is built, and without the tests. */
const LEFT_OUT = new Set(['node_modules', 'dist', 'test', 'docs', 'cdk.out', '.git', '.glasshouse']);

/** What a new project of the CDK has, and one mirror. */
const APP = `import { App, Stack } from 'aws-cdk-lib';
import { AttributeType, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Mirror, defineMirror } from 'glasshouse';

const stack = new Stack(new App(), 'Mine');
const orders = new TableV2(stack, 'Orders', {
  partitionKey: { name: 'id', type: AttributeType.STRING },
  dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
});
const mirror = new Mirror(stack, 'Shop', {
  config: defineMirror({ name: 'shop', tables: { orders: {} }, targets: { lakehouse: true, warehouse: true } }),
  tables: { orders },
});
mirror.control.bucket.bucketName satisfies string;
// @ts-expect-error A mirror has targets.
defineMirror({ name: 'shop', tables: { orders: {} } });
`;
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
  },
  files: ['app.ts'],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glasshouse-pack-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Loads a bundle away from everything else, as Lambda does. */
async function loadBundle(bundle: string, role: FunctionRole): Promise<void> {
  const alone = join(folder, `lambda-${role}`);
  await cp(bundle, alone, { recursive: true });
  const redshift: RedshiftAddress = {
    workgroup: 'analytics',
    cluster: null,
    database: 'dev',
    secretArn: null,
    dbUser: null,
    baseCapacity: 8,
  };
  const script = `import('./index.mjs').then(({ handler }) => console.log(typeof handler))`;
  const { stdout } = await run(process.execPath, ['-e', script], {
    cwd: alone,
    env: {
      ...Object.fromEntries(ENVIRONMENT[role].map((name) => [name, '1'])),
      REDSHIFT: JSON.stringify(redshift),
      AWS_REGION: 'eu-central-1',
      AWS_LAMBDA_FUNCTION_NAME: role,
    },
  });
  expect([role, stdout.trim()]).toEqual([role, 'function']);
}

/** Packs a copy of the tree: packing builds anew, and others may be using what is built here. */
async function pack(): Promise<string> {
  const copy = join(folder, 'glasshouse');
  await mkdir(copy);
  for (const entry of await readdir(ROOT)) {
    if (!LEFT_OUT.has(entry)) await cp(join(ROOT, entry), join(copy, entry), { recursive: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await run('npm', ['pack', '--pack-destination', folder], { cwd: copy, maxBuffer: 2 ** 26 });
  const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'));
  return join(folder, name ?? '');
}

/** A project with the package and all that it depends on, as `npm install` would make it. */
async function install(archive: string): Promise<string> {
  const project = join(folder, 'project');
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, 'glasshouse'), { recursive: true });
  await run('tar', ['xzf', archive, '--strip-components', '1', '-C', join(modules, 'glasshouse')]);
  for (const entry of await readdir(join(ROOT, 'node_modules'))) {
    if (!entry.startsWith('.')) await symlink(join(ROOT, 'node_modules', entry), join(modules, entry));
  }
  await writeFile(join(project, 'package.json'), '{ "name": "mine", "private": true }');
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  await writeFile(join(project, 'app.ts'), APP);
  return project;
}

it(
  'the package that npm packs is typed, and synthesises a mirror in a new project of the CDK',
  { timeout: 300_000 },
  async () => {
    const project = await install(await pack());
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project], { cwd: project }).catch(
      (thrown: unknown) => {
        throw new Error((thrown as { readonly stdout: string }).stdout, { cause: thrown });
      },
    );
    const flags = await readFile(join(ROOT, 'node_modules/aws-cdk-lib/recommended-feature-flags.json'), 'utf8');
    await run(process.execPath, ['app.js'], {
      cwd: project,
      env: { ...process.env, CDK_OUTDIR: join(project, 'cdk.out'), CDK_CONTEXT_JSON: flags },
    });

    const template = JSON.parse(await readFile(join(project, 'cdk.out/Mine.template.json'), 'utf8')) as {
      readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
    };
    const types = Object.values(template.Resources).map((resource) => resource.Type);
    expect(types.filter((type) => type === 'AWS::KinesisFirehose::DeliveryStream')).toHaveLength(2);
    expect(types.filter((type) => type === 'AWS::Lambda::EventSourceMapping')).toHaveLength(1);
    expect(types).toContain('AWS::StepFunctions::StateMachine');
    for (const role of FUNCTION_ROLES)
      await loadBundle(join(project, 'node_modules/glasshouse/dist/lambdas', role), role);
    const assets = await readdir(join(project, 'cdk.out'));
    expect(assets.filter((file) => file.startsWith('asset.')).length).toBeGreaterThanOrEqual(5);
    expect(await readdir(join(project, 'node_modules/glasshouse/dist/lambdas'))).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/\.meta\.json$/)]),
    );
  },
);

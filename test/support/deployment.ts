import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { MirrorConfig } from '../../core/config.ts';
import { FUNCTION_ROLES } from '../../core/contract.ts';
import type { Mirror } from '../../lib/mirror.ts';
import { mirrorStacks } from '../../lib/mirror-stacks.ts';

/** A folder of bundles that do nothing, so that templates are made without a build. The caller removes it. */
export function emptyBundles(): string {
  const folder = mkdtempSync(join(tmpdir(), 'glasshouse-bundles-'));
  for (const role of FUNCTION_ROLES) {
    mkdirSync(join(folder, role));
    writeFileSync(join(folder, role, 'index.mjs'), 'export const handler = async () => {};\n');
  }
  return folder;
}

/**
 * An app that leaves nothing behind: what it writes goes into the folder of the bundles. Each template is checked against
 * the schemas of CloudFormation, as the CDK has them.
 */
export function testApp(bundles: string, context: Readonly<Record<string, unknown>> = {}): App {
  return new App({
    outdir: join(bundles, `out-${randomUUID()}`),
    context: { '@aws-cdk/core:validateAgainstDefaultRules': true, ...context },
  });
}

/** The templates of a mirror in stacks of its own, by the part of the stack's name: `Control`, `Lakehouse`. */
export function templatesOf(
  config: MirrorConfig,
  bundles: string,
  context: Readonly<Record<string, unknown>> = {},
): { readonly mirror: Mirror; readonly templates: Readonly<Record<string, Template>> } {
  const app = testApp(bundles, context);
  const mirror = mirrorStacks(app, config, { bundles });
  const stacks = app.node.children.filter((child) => child instanceof Stack);
  return {
    mirror,
    templates: Object.fromEntries(
      stacks.map((stack) => [/[A-Z][a-z]+$/.exec(stack.stackName)?.[0] ?? stack.stackName, Template.fromStack(stack)]),
    ),
  };
}

/** One resource of a template. */
export interface TemplateResource {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly dependsOn: readonly string[] | undefined;
  readonly deletionPolicy: string | undefined;
  readonly replacePolicy: string | undefined;
}

/** The resources of a template in its order; of one type, or all. */
export function resourcesOf(template: Template, type?: string): TemplateResource[] {
  const { Resources: resources } = template.toJSON() as {
    readonly Resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  return Object.entries(resources)
    .map(([id, resource]) => ({
      id,
      type: String(resource.Type),
      properties: (resource.Properties ?? {}) as Readonly<Record<string, unknown>>,
      dependsOn: resource.DependsOn as readonly string[] | undefined,
      deletionPolicy: resource.DeletionPolicy as string | undefined,
      replacePolicy: resource.UpdateReplacePolicy as string | undefined,
    }))
    .filter((resource) => type === undefined || resource.type === type);
}

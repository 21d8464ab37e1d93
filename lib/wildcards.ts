import { Stack, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Why a role may use all the objects below a prefix. */
export const OBJECTS_BELOW = 'Nobody knows the names of objects beforehand: the prefix is the boundary.';

/**
 * Says why a permission of a role has a `*` in its resources, in the form in which cdk-nag asks for it. Resources without
 * one need no reason.
 */
export function explainWildcards(role: Construct, resources: readonly string[], reason: string): void {
  const wild = resources.filter((resource) => resource.includes('*'));
  if (wild.length === 0) return;
  // What a finding is called depends on references between stacks, which are made just before validation.
  role.node.addValidation({
    validate: () => {
      for (const resource of wild) {
        const id = `AwsSolutions-IAM5[Resource::${flat(Stack.of(role).resolve(resource))}]`;
        Validations.of(role).acknowledge({ id, reason });
      }
      return [];
    },
  });
}

/** CloudFormation's way to write a text, in a line: `<Bucket.Arn>/tables/*`. */
function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref: ref, ...functions } = value as Readonly<Record<string, unknown>>;
  if (typeof ref === 'string') return `<${ref}>`;
  const attribute = functions['Fn::GetAtt'];
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`;
  const join = functions['Fn::Join'];
  if (Array.isArray(join)) return (join[1] as unknown[]).map(flat).join(String(join[0]));
  const imported = functions['Fn::ImportValue'];
  return imported === undefined ? JSON.stringify(value) : flat(imported);
}

import type { DeployedResource } from './deployed-world.ts';

/** One thing that a role may do: an action on a resource (a pattern), by way of one service where that is asked for. */
export interface Permission {
  readonly action: string;
  readonly resource: string;
  /** Condition keys and the values of which one must hold. */
  readonly conditions: Readonly<Record<string, readonly string[]>>;
}

/** One thing that must be allowed. */
export interface Need {
  readonly action: string;
  readonly resource: string;
  /** What is true of the request, such as `kms:ViaService`. */
  readonly context?: Readonly<Record<string, string>>;
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** What the policies of a role's own stack allow it, one by one; a condition with several values is several permissions. */
export function permissionsOf(resources: readonly DeployedResource[], roleId: string, stack: string): Permission[] {
  const statements = resources
    .filter(({ type, stack: own, properties }) => {
      return type === 'AWS::IAM::Policy' && own === stack && listOf(properties.Roles).includes(roleId);
    })
    .flatMap(({ properties }) => statementsOf(properties.PolicyDocument));
  return statements.flatMap(expand);
}

export function statementsOf(document: unknown): readonly Statement[] {
  return (document as { readonly Statement: readonly Statement[] }).Statement;
}

export function listOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as string[]) : [value as string];
}

function expand(statement: Statement): Permission[] {
  if (statement.Effect !== 'Allow') throw new Error(`A role's statement with ${statement.Effect} is not known here.`);
  let conditions: Readonly<Record<string, readonly string[]>>[] = [{}];
  for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
    if (operator !== 'StringEquals') throw new Error(`The condition ${operator} is not known here.`);
    for (const [key, values] of Object.entries(keys)) {
      conditions = conditions.flatMap((before) => listOf(values).map((value) => ({ ...before, [key]: [value] })));
    }
  }
  return listOf(statement.Action).flatMap((action) =>
    listOf(statement.Resource).flatMap((resource) =>
      conditions.map((each) => ({ action, resource, conditions: each })),
    ),
  );
}

/** Whether a permission allows what is needed. */
export function allows(permission: Permission, need: Need): boolean {
  return (
    matches(permission.action, need.action) &&
    matches(permission.resource, need.resource) &&
    Object.entries(permission.conditions).every(([key, values]) => values.includes(need.context?.[key] ?? ''))
  );
}

function matches(pattern: string, value: string): boolean {
  const source = pattern
    .split('')
    .map((letter) => (letter === '*' ? '.*' : letter === '?' ? '.' : letter.replace(/[\\^$+.()|[\]{}]/, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`).test(value);
}

/** A permission or a need in a line, for the message of a test. */
export function lineOf(what: Permission | Need): string {
  const context = 'conditions' in what ? what.conditions : (what.context ?? {});
  const where = Object.entries(context).map(([key, value]) => `${key}=${listOf(value).join('|')}`);
  return [what.action, what.resource, ...where].join(' ');
}

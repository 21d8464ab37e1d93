import type { CloudAssembly } from 'aws-cdk-lib/cx-api';

/** A resource of a deployed app, with every reference in its properties put in. */
export interface DeployedResource {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

type Json = Readonly<Record<string, unknown>>;

interface RawResource {
  readonly Type: string;
  readonly Properties?: Json;
}

interface StackOutput {
  readonly Value: unknown;
}

interface RawTemplate {
  readonly name: string;
  readonly resources: Readonly<Record<string, RawResource>>;
  readonly outputs: Readonly<Record<string, StackOutput>>;
}

export const REGION = 'eu-central-1';
export const ACCOUNT = '111122223333';
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** What CloudFormation would make of the templates of an app: references become names and ARNs, as AWS forms them. */
export function deployedResources(assembly: CloudAssembly): DeployedResource[] {
  const templates = assembly.stacks.map((stack): RawTemplate => {
    const { Resources = {}, Outputs = {} } = stack.template as {
      readonly Resources?: RawTemplate['resources'];
      readonly Outputs?: RawTemplate['outputs'];
    };
    return { name: stack.stackName, resources: Resources, outputs: Outputs };
  });
  return templates.flatMap((template) =>
    Object.entries(template.resources).map(([id, { Type, Properties = {} }]) => ({
      stack: template.name,
      id,
      type: Type,
      properties: resolve(Properties, { template, templates }) as Json,
    })),
  );
}

interface Place {
  readonly template: RawTemplate;
  readonly templates: readonly RawTemplate[];
}

function resolve(value: unknown, place: Place): unknown {
  if (Array.isArray(value)) return value.map((one) => resolve(one, place));
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = ['', null], ...others] = Object.entries(value as Json);
  const isFunction = others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'));
  if (isFunction) return callFunction(name, resolve(argument, place), place);
  return Object.fromEntries(Object.entries(value as Json).map(([key, part]) => [key, resolve(part, place)]));
}

function callFunction(name: string, argument: unknown, { template, templates }: Place): unknown {
  const list = Array.isArray(argument) ? (argument as unknown[]) : [];
  switch (name) {
    case 'Ref':
      return PSEUDO[String(argument)] ?? refOf(String(argument), template);
    case 'Fn::GetAtt':
      return attributeOf(String(list[0]), String(list[1]), template);
    case 'Fn::Join':
      return (list[1] as unknown[]).join(String(list[0]));
    case 'Fn::Split':
      return String(list[1]).split(String(list[0]));
    case 'Fn::Select':
      return (list[1] as unknown[])[Number(list[0])];
    case 'Fn::Sub':
      return String(argument).replaceAll(/\$\{([^}]+)\}/g, (_, key: string) => PSEUDO[key] ?? refOf(key, template));
    case 'Fn::GetStackOutput': {
      const { StackName: stack, OutputName: output } = argument as { StackName: string; OutputName: string };
      const producer = templates.find((one) => stack.includes(one.name));
      const told = producer?.outputs[output];
      if (!producer || !told) throw new Error(`The stack ${stack} has no output ${output}.`);
      return resolve(told.Value, { template: producer, templates });
    }
    default:
      throw new Error(`${name} is not known here.`);
  }
}

function arn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
}

/** What AWS calls a resource: the name it was given, or else its logical id. */
function nameOf(id: string, template: RawTemplate): string {
  const { Type: type, Properties: properties = {} } = resourceOf(id, template);
  const given = properties[`${/[A-Za-z]+$/.exec(type)?.[0] ?? ''}Name`] ?? properties.Name;
  if (typeof given === 'string') return given;
  return type === 'AWS::S3::Bucket' ? id.toLowerCase() : id;
}

function resourceOf(id: string, template: RawTemplate): RawResource {
  const resource = template.resources[id];
  if (!resource) throw new Error(`The stack ${template.name} has no resource ${id}.`);
  return resource;
}

function refOf(id: string, template: RawTemplate): string {
  const name = nameOf(id, template);
  switch (resourceOf(id, template).Type) {
    case 'AWS::SQS::Queue':
      return `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${name}`;
    case 'AWS::SNS::Topic':
    case 'AWS::SecretsManager::Secret':
    case 'AWS::StepFunctions::StateMachine':
      return arnOf(id, template);
    default:
      return name;
  }
}

function attributeOf(id: string, attribute: string, template: RawTemplate): string {
  const name = nameOf(id, template);
  switch (attribute) {
    case 'Arn':
    case 'TopicArn':
    case 'Workgroup.WorkgroupArn':
    case 'WorkgroupArn':
      return arnOf(id, template);
    case 'StreamArn':
      return `${arnOf(id, template)}/stream/2026-11-22T09:00:00.000`;
    case 'MasterPasswordSecretArn':
      return arn('secretsmanager', `secret:redshift!${name}`);
    case 'QueueName':
    case 'RoleId':
    case 'Name':
      return name;
    default:
      return `<${id}.${attribute}>`;
  }
}

function arnOf(id: string, template: RawTemplate): string {
  const name = nameOf(id, template);
  const { Type: type } = resourceOf(id, template);
  switch (type) {
    case 'AWS::S3::Bucket':
      return `arn:aws:s3:::${name}`;
    case 'AWS::IAM::Role':
      return `arn:aws:iam::${ACCOUNT}:role/${name}`;
    case 'AWS::DynamoDB::Table':
      return arn('dynamodb', `table/${name}`);
    case 'AWS::KMS::Key':
      return arn('kms', `key/${name}`);
    case 'AWS::SQS::Queue':
      return arn('sqs', name);
    case 'AWS::SNS::Topic':
      return arn('sns', name);
    case 'AWS::Lambda::Function':
      return arn('lambda', `function:${name}`);
    case 'AWS::KinesisFirehose::DeliveryStream':
      return arn('firehose', `deliverystream/${name}`);
    case 'AWS::Logs::LogGroup':
      return arn('logs', `log-group:${name}:*`);
    case 'AWS::SecretsManager::Secret':
      return arn('secretsmanager', `secret:${name}`);
    case 'AWS::StepFunctions::StateMachine':
      return arn('states', `stateMachine:${name}`);
    case 'AWS::CloudWatch::Alarm':
      return arn('cloudwatch', `alarm:${name}`);
    case 'AWS::RedshiftServerless::Workgroup':
      return arn('redshift-serverless', `workgroup/${name}`);
    default:
      throw new Error(`What the ARN of a ${type} looks like is not known here.`);
  }
}

import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { GlasshouseError } from '../../core/errors.ts';

/** Where DynamoDB is: AWS itself where neither is given. */
export interface DynamoDbPlace {
  /** The URL of an endpoint that is not AWS's own: the embedded DynamoDB, an emulator. */
  readonly endpoint?: string | undefined;
  /** Default: AWS_REGION, AWS_DEFAULT_REGION, the profile's; `us-east-1` for an endpoint of one's own. */
  readonly region?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The SDK's own way to turn off its warning about the version of Node. */
const NODE_WARNING_OFF = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/** The variables that say where credentials come from. A profile in a file counts only where one of them names it. */
const CREDENTIAL_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/** A client of DynamoDB. Throws a GlasshouseError `config` for an endpoint that is no URL; the caller calls `destroy`. */
export function openDynamoDb(place: DynamoDbPlace): DynamoDBClient {
  return quietly(() => new DynamoDBClient(clientConfig(place, process.env)));
}

/** A client of DynamoDB Streams, made for the stream reader: it does not retry by itself, since the reader does, and can be stopped while it waits. */
export function openDynamoDbStreams(place: DynamoDbPlace): DynamoDBStreamsClient {
  return quietly(() => new DynamoDBStreamsClient({ ...clientConfig(place, process.env), maxAttempts: 1 }));
}

/** Whether a client talks to an endpoint on this machine. */
export async function isLoopback(client: DynamoDBStreamsClient | DynamoDBClient): Promise<boolean> {
  const endpoint = await client.config.endpoint?.();
  return endpoint !== undefined && isLoopbackHost(endpoint.hostname);
}

/** The configuration of a client, as a value. Connections are kept alive, and one that falls silent is given up after 30 s. */
export function clientConfig(place: DynamoDbPlace, environment: Environment): DynamoDBClientConfig {
  const requestHandler = {
    connectionTimeout: 5_000,
    socketTimeout: 30_000,
    httpAgent: { keepAlive: true, maxSockets: 64 },
    httpsAgent: { keepAlive: true, maxSockets: 64 },
  };
  const region = place.region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  if (place.endpoint === undefined) return region === undefined ? { requestHandler } : { requestHandler, region };
  const url = parseEndpoint(place.endpoint);
  const hasCredentials = CREDENTIAL_VARIABLES.some((name) => Boolean(environment[name]));
  return {
    requestHandler,
    endpoint: place.endpoint,
    region: region ?? 'us-east-1',
    // An emulator takes any credentials, but the SDK signs nothing without; AWS's own hosts must not be sent these.
    ...(hasCredentials || isAwsHost(url.hostname)
      ? {}
      : { credentials: { accessKeyId: 'glasshouse', secretAccessKey: 'glasshouse' } }),
  };
}

function parseEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new GlasshouseError(
      'config',
      `The endpoint ${JSON.stringify(endpoint)} is no URL. Write it with its scheme and port, as http://127.0.0.1:8000.`,
    );
  }
  return url;
}

function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

function isAwsHost(hostname: string): boolean {
  return /(^|\.)(amazonaws\.com(\.cn)?|api\.aws)$/.test(hostname);
}

/** Makes a client without the SDK's warning that a later SDK will want a later Node; the variable is put back, since children inherit it. */
export function quietly<Client>(make: () => Client): Client {
  const before = process.env[NODE_WARNING_OFF];
  process.env[NODE_WARNING_OFF] = 'true';
  try {
    return make();
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, NODE_WARNING_OFF);
    else process.env[NODE_WARNING_OFF] = before;
  }
}

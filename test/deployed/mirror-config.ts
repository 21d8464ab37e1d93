import type { Mirror, MirrorConfig } from '../../core/config.ts';
import { validateMirror } from '../../core/config.ts';
import type { Deployment } from '../../core/contract.ts';
import type { DeployedOptions } from '../../deployed/results.ts';

export const TABLE_ARN = 'arn:aws:dynamodb:eu-central-1:111122223333:table/Orders';
export const STREAM_ARN = `${TABLE_ARN}/stream/2026-11-22T10:00:00.000`;

export function mirrorWith(change: Partial<MirrorConfig> = {}): Mirror {
  return validateMirror({
    name: 'shop',
    tables: { orders: { from: 'Orders', aws: { arn: TABLE_ARN, streamArn: STREAM_ARN } } },
    targets: { lakehouse: true, warehouse: true },
    aws: { region: 'eu-central-1' },
    ...change,
  });
}

export const DEPLOYMENT: Deployment = {
  mirror: 'shop',
  region: 'eu-central-1',
  version: '0.1.0',
  controlTable: 'control',
  controlBucket: 'control-bucket',
  redriveFunction: 'glasshouse-shop-redrive',
  dashboard: 'https://console/dashboard',
  lakehouse: { bucket: 'lake', database: 'shop', workgroup: 'glasshouse-shop', mergeFunction: 'merge' },
  warehouse: {
    bucket: 'staging',
    redshift: { workgroup: 'w', cluster: null, database: 'glasshouse', secretArn: null, dbUser: null, baseCapacity: 8 },
    viewSchema: 'public',
    loadFunction: 'load',
    queueUrl: 'https://sqs/live',
    deadLetterUrl: 'https://sqs/dead',
  },
};

export interface RecordedOptions extends DeployedOptions {
  readonly logged: string[];
}

export function options(change: Partial<DeployedOptions> = {}): RecordedOptions {
  const logged: string[] = [];
  return {
    mirror: null,
    region: null,
    signal: new AbortController().signal,
    log: (line) => void logged.push(line),
    logged,
    ...change,
  };
}

/** As the SDK throws what a service answers. */
export function serviceError(name: string, message = name): Error {
  return Object.assign(new Error(message), { name });
}

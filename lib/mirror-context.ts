import type { IKey } from 'aws-cdk-lib/aws-kms';
import { RemovalPolicy } from 'aws-cdk-lib';
import type { Mirror as ValidMirror } from '../core/config.ts';

/** What every part of a mirror needs to know. */
export interface MirrorContext {
  readonly mirror: ValidMirror;
  /** The folder of the functions' bundles. */
  readonly bundles: string;
}

/** What every part but the key itself needs. */
export interface SealedContext extends MirrorContext {
  /** Encrypts whatever the mirror keeps. */
  readonly key: IKey;
}

/** What becomes of what holds data when a stack is destroyed. */
export function dataRemovalPolicy(mirror: ValidMirror): RemovalPolicy {
  return mirror.aws.onDestroy === 'delete' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
}

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { CfnBucket, IBucket, LifecycleRule } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { SealedContext } from './mirror-context.ts';
import { dataRemovalPolicy } from './mirror-context.ts';

export interface MirrorBucketProps {
  readonly lifecycleRules: LifecycleRule[];
  /** Takes a line for each request to the bucket, under the bucket's `logPrefix`. */
  readonly accessLogs: IBucket;
  readonly logPrefix: string;
}

/** How long what was deleted or overwritten can be had back. */
const UNDO_DAYS = 7;

/** A bucket that holds data of a mirror: the mirror's key, TLS only, nothing public, versioned, kept unless the configuration says otherwise. */
export function mirrorBucket(scope: Construct, id: string, context: SealedContext, props: MirrorBucketProps): Bucket {
  const removalPolicy = dataRemovalPolicy(context.mirror);
  const bucket = new Bucket(scope, id, {
    encryption: BucketEncryption.KMS,
    encryptionKey: context.key,
    // Without it, each object costs a call of KMS.
    bucketKeyEnabled: true,
    enforceSSL: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    versioned: true,
    removalPolicy,
    autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY,
    lifecycleRules: [
      {
        id: 'forget-what-was-deleted',
        noncurrentVersionExpiration: Duration.days(UNDO_DAYS),
        expiredObjectDeleteMarker: true,
        abortIncompleteMultipartUploadAfter: Duration.days(UNDO_DAYS),
      },
      ...props.lifecycleRules,
    ],
  });
  // Not by the property of `Bucket`: that one would make the bucket of the logs depend on this one, in another stack.
  (bucket.node.defaultChild as CfnBucket).loggingConfiguration = {
    destinationBucketName: props.accessLogs.bucketName,
    logFilePrefix: props.logPrefix,
  };
  return bucket;
}

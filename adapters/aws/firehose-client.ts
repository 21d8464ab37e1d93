import { FirehoseClient } from '@aws-sdk/client-firehose';

/** A client for `FirehoseDelivery`, which tries again by itself. A connection that falls silent is given up before the function's time is. */
export function openFirehose(): FirehoseClient {
  return new FirehoseClient({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: 15_000,
      httpsAgent: { keepAlive: true, maxSockets: 32 },
    },
  });
}

import type { LakeStream } from './lake-stream.ts';
import type { StagingStream } from './staging-stream.ts';

/** Where the changes of one table go; null where the mirror has no such target. */
export interface TableStreams {
  readonly lakehouse: LakeStream | null;
  readonly warehouse: StagingStream | null;
}

export function streamArns(streams: TableStreams): readonly string[] {
  return [streams.lakehouse, streams.warehouse].flatMap((stream) => (stream ? [stream.streamArn] : []));
}

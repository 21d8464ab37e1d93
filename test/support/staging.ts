import type { StagedMessage, StagedObject } from '../../core/load-plan.ts';
import type { Manifests, StagedQueue } from '../../flows/load-ports.ts';

const BUCKET = 's3://staging/';

/** A clock that goes only when it is told to. */
export class Clock {
  millis = Date.UTC(2026, 10, 22, 10, 0, 0);

  readonly now = (): number => this.millis;

  advance(seconds: number): void {
    this.millis += seconds * 1000;
  }
}

interface Kept {
  readonly objects: readonly StagedObject[];
  visibleAtMillis: number;
  receives: number;
}

/** A staging bucket and its queue in memory, with what is hard about them: hidden messages, redelivery, dead letters. */
export class MemoryStaging implements StagedQueue, Manifests {
  readonly objects = new Map<string, readonly string[]>();
  readonly manifests = new Map<string, readonly string[]>();
  readonly dead: StagedObject[] = [];
  private readonly clock: Clock;
  private readonly maxReceives: number;
  private readonly kept = new Map<number, Kept>();
  private next = 0;

  constructor(clock: Clock, maxReceives = 10) {
    this.clock = clock;
    this.maxReceives = maxReceives;
  }

  /** Puts an object with these lines, and the notice of it. Returns its URL. */
  stage(table: string, lines: readonly string[]): string {
    const url = `${BUCKET}staged/${table}/${this.objects.size}.gz`;
    this.objects.set(url, lines);
    this.notify([{ table, url, bytes: 1 }]);
    return url;
  }

  notify(objects: readonly StagedObject[]): void {
    this.kept.set(this.next++, { objects, visibleAtMillis: 0, receives: 0 });
  }

  /** Notices that are neither removed nor dead. */
  get left(): number {
    return this.kept.size;
  }

  count(): Promise<{ waiting: number; hidden: number }> {
    const waiting = this.visible().length;
    return Promise.resolve({ waiting, hidden: this.kept.size - waiting });
  }

  receive(limit: number, hideSeconds: number) {
    const messages: StagedMessage[] = [];
    for (const [id, message] of this.visible().slice(0, limit)) {
      if (message.receives === this.maxReceives) {
        this.dead.push(...message.objects);
        this.kept.delete(id);
        continue;
      }
      message.receives++;
      message.visibleAtMillis = this.clock.millis + hideSeconds * 1000;
      messages.push({ handle: `${id}/${message.receives}`, receives: message.receives, objects: message.objects });
    }
    return Promise.resolve({ messages, strays: [], isDrained: this.visible().length === 0 });
  }

  remove(handles: readonly string[]): Promise<void> {
    for (const [id] of this.valid(handles)) this.kept.delete(id);
    return Promise.resolve();
  }

  reappear(handles: readonly string[], inSeconds: number): Promise<void> {
    for (const [, message] of this.valid(handles)) message.visibleAtMillis = this.clock.millis + inSeconds * 1000;
    return Promise.resolve();
  }

  write(key: string, objectUrls: readonly string[]): Promise<string> {
    this.manifests.set(BUCKET + key, objectUrls);
    return Promise.resolve(BUCKET + key);
  }

  /** The lines of a manifest's objects; throws as COPY does where one is gone. */
  linesOf(manifestUrl: string): readonly string[] {
    const urls = this.manifests.get(manifestUrl);
    if (urls === undefined) throw new Error(`S3ServiceException: The specified key does not exist: ${manifestUrl}`);
    return urls.flatMap((url) => {
      const lines = this.objects.get(url);
      if (lines === undefined) throw new Error(`The specified S3 prefix '${url}' does not exist`);
      return lines;
    });
  }

  private visible(): [number, Kept][] {
    return [...this.kept].filter(([, message]) => message.visibleAtMillis <= this.clock.millis);
  }

  /** A handle is good until its message is received again. */
  private valid(handles: readonly string[]): [number, Kept][] {
    return handles.flatMap((handle): [number, Kept][] => {
      const [id, receives] = handle.split('/').map(Number);
      const message = this.kept.get(id ?? -1);
      return message?.receives === receives && message !== undefined ? [[id ?? -1, message]] : [];
    });
  }
}

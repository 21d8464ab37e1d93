import { describe, expect, it } from 'vitest';
import { createMemoryChangelog } from '../../adapters/memory/changelog.ts';
import { createMemoryQuarantine } from '../../adapters/memory/quarantine.ts';
import { createMemoryTarget } from '../../adapters/memory/target.ts';
import type { Captured } from '../../flows/capture.ts';
import { Feed } from '../../flows/feed.ts';
import { START } from '../../flows/mirror-table.ts';
import type { Changelog, Quarantine, StreamPositions, Target } from '../../flows/ports.ts';
import { TableWriter } from '../../flows/table-writer.ts';
import type { Happening } from '../support/changes.ts';
import { changeOf, rowsOf } from '../support/changes.ts';
import { expectedRows } from '../support/contracts/target.ts';
import { schemaOf } from '../support/dynamodb.ts';
import { FaultyChangelog, FaultyQuarantine } from '../support/faulty-ports.ts';
import { feedOptions } from '../support/mirror.ts';

const WORDS = schemaOf({ word: { kind: 'string' } });

function word(id: string, at: number): Happening {
  return { id, at, image: { word: { S: `${at}` } } };
}

function batch(happenings: readonly Happening[], poison = 0): Captured {
  const quarantined = Array.from({ length: poison }, (_, line) => ({
    table: 'orders',
    kind: 'not-json',
    reason: 'It is no JSON.',
    place: { kind: 'file', file: 'f', line } as const,
    raw: '{',
    quarantinedAtMillis: 0,
  }));
  return { changes: happenings.map((one) => changeOf(one, WORDS)), quarantined, rescued: 0, schema: WORDS };
}

function positionsAt(after: string): StreamPositions {
  return { streamArn: 'arn', shards: { s: { after } } };
}

interface Parts {
  readonly changelog?: Changelog;
  readonly quarantine?: Quarantine;
  readonly target?: Target;
  readonly positions?: StreamPositions | null;
  readonly onKept?: (captured: Captured) => void;
}

function writerOf({
  changelog = createMemoryChangelog(),
  quarantine = createMemoryQuarantine(),
  target = createMemoryTarget(),
  positions = null,
  onKept,
}: Parts) {
  const feed = new Feed(target, START, feedOptions());
  const writer = new TableWriter({ changelog, quarantine, feeds: [feed], ...(onKept ? { onKept } : {}) }, positions);
  return { writer, changelog, quarantine, target, feed };
}

describe('a batch', () => {
  it('is durable and offered with its positions when it is kept', async () => {
    const kept: number[] = [];
    const { writer, changelog, target, feed } = writerOf({ onKept: (captured) => kept.push(captured.changes.length) });
    await writer.keep(batch([word('a', 1), word('b', 2)]), positionsAt('2'));
    expect(await changelog.positions()).toEqual(positionsAt('2'));
    await feed.drain();
    expect(await rowsOf(target, WORDS)).toEqual(expectedRows([word('a', 1), word('b', 2)], WORDS));
    expect(await target.mark()).toEqual(await changelog.newest());
    expect(kept).toEqual([2]);
  });

  it('that only moves the positions is kept too, and one that moves nothing is not', async () => {
    const { writer, changelog } = writerOf({});
    const still = positionsAt('1');
    await writer.keep(batch([]), still);
    await writer.keep(batch([]), still);
    await writer.keep(batch([]), null);
    expect(await changelog.positions()).toEqual(still);
    expect((await changelog.append([], null)).mark.sequence).toBe(2);
  });

  it('without changes leaves the mark of what waits where it was', async () => {
    const { target, changelog, quarantine } = writerOf({});
    const feed = new Feed(target, START, feedOptions({ applyFrom: 9 }));
    const writer = new TableWriter({ changelog, quarantine, feeds: [feed] }, null);
    await writer.keep(batch([word('a', 1)]), positionsAt('1'));
    await writer.keep(batch([], 1), positionsAt('2'));
    await feed.drain();
    expect(await target.mark()).toEqual(await changelog.newest());
    expect((await target.mark())?.sequence).toBe(1);
  });

  it('of a source that has no positions is appended with those that are there', async () => {
    const { writer, changelog } = writerOf({ positions: positionsAt('5') });
    await writer.keep(batch([word('a', 1)]), null);
    expect(await changelog.positions()).toEqual(positionsAt('5'));
    await writer.keep(batch([word('a', 2)]), positionsAt('6'));
    await writer.keep(batch([word('a', 3)]), null);
    expect(await changelog.positions()).toEqual(positionsAt('6'));
  });

  it('has its poison in quarantine before its positions are durable', async () => {
    const quarantine = new FaultyQuarantine(createMemoryQuarantine(), ['refuse', 'ok']);
    const { writer, changelog } = writerOf({ quarantine });
    await expect(writer.keep(batch([word('a', 1)], 2), positionsAt('3'))).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect([await changelog.positions(), await changelog.newest()]).toEqual([null, null]);
    await writer.keep(batch([word('a', 1)], 2), positionsAt('3'));
    expect(await quarantine.counts('orders')).toEqual({ 'not-json': 2 });
    expect(await changelog.positions()).toEqual(positionsAt('3'));
  });

  it('whose append is refused is not offered, is not counted, and does not move the positions of those after it', async () => {
    const inner = createMemoryChangelog();
    const changelog = new FaultyChangelog(inner, ['ok', 'refuse']);
    const kept: number[] = [];
    const { writer, target, feed } = writerOf({ changelog, onKept: () => kept.push(1) });
    await writer.keep(batch([word('a', 1)]), positionsAt('1'));
    await expect(writer.keep(batch([word('b', 2)]), positionsAt('2'))).rejects.toMatchObject({ code: 'unavailable' });
    await writer.keep(batch([word('c', 3)]), null);
    await feed.drain();
    expect(await changelog.positions()).toEqual(positionsAt('1'));
    expect(await rowsOf(target, WORDS)).toEqual(expectedRows([word('a', 1), word('c', 3)], WORDS));
    expect(kept).toHaveLength(2);
  });
});

it('batches that are kept at once are appended and offered one after the other, so that marks only rise', async () => {
  const inner = createMemoryChangelog();
  let running = 0;
  const changelog: Changelog = {
    ...inner,
    append: async (envelopes, positions) => {
      expect(++running).toBe(1);
      // Later appends would be quicker, were they let.
      for (let turn = 0; turn < 10 - envelopes.length; turn++) await Promise.resolve();
      running--;
      return inner.append(envelopes, positions);
    },
  };
  const marks: number[] = [];
  const memory = createMemoryTarget();
  const target: Target = {
    ...memory,
    apply: (changes, schema, mark) => {
      marks.push(mark.sequence);
      return memory.apply(changes, schema, mark);
    },
  };
  const { writer, feed } = writerOf({ changelog, target });
  const happenings = Array.from({ length: 9 }, (_, index) => word('a', index + 1));
  await Promise.all(
    happenings.map((_, index) => writer.keep(batch(happenings.slice(0, index + 1)), positionsAt(`${index}`))),
  );
  await feed.drain();
  expect(marks).toEqual([...marks].sort((a, b) => a - b));
  expect(marks.at(-1)).toBe(9);
  expect(await changelog.positions()).toEqual(positionsAt('8'));
  expect(inner.all().map((change) => change.version)).toEqual(
    happenings.flatMap((_, index) => batch(happenings.slice(0, index + 1)).changes.map((change) => change.version)),
  );
});

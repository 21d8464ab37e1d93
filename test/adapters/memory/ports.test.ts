import { describe, expect, it } from 'vitest';
import { createMemorySource } from '../../../adapters/memory/change-source.ts';
import { createMemoryChangelog } from '../../../adapters/memory/changelog.ts';
import { createMemoryQuarantine } from '../../../adapters/memory/quarantine.ts';
import { createMemorySchemaRegistry } from '../../../adapters/memory/schema-registry.ts';
import { createMemoryTarget } from '../../../adapters/memory/target.ts';
import type { Delivered, SourceBatch, StreamPositions } from '../../../flows/ports.ts';
import { changelogContract } from '../../support/contracts/changelog.ts';
import { quarantineContract } from '../../support/contracts/quarantine.ts';
import { schemaRegistryContract } from '../../support/contracts/schema-registry.ts';
import { targetContract } from '../../support/contracts/target.ts';

schemaRegistryContract('the memory', createMemorySchemaRegistry);
quarantineContract('the memory', createMemoryQuarantine);

describe.each([1, 4, 1000])('with pieces of %d changes', (pieceChanges) => {
  changelogContract('the memory', () => {
    const changelog = createMemoryChangelog(pieceChanges);
    return Promise.resolve({ changelog, reopen: () => Promise.resolve(changelog) });
  });
});

targetContract(
  'the memory',
  () => {
    const target = createMemoryTarget();
    const changelog = createMemoryChangelog();
    return Promise.resolve({
      target,
      append: async (envelopes) => (await changelog.append(envelopes, null)).mark,
      reopen: () => Promise.resolve(target),
    });
  },
  200,
);

describe('the memory as a source', () => {
  const deliveries: Delivered[] = [1, 2, 3, 4, 5].map((line) => ({
    kind: 'record',
    record: { line },
    place: { kind: 'file', file: 'f', line },
  }));
  const source = createMemorySource({ streamArn: 'arn', shardId: 's', deliveries }, 2);

  async function read(from: StreamPositions | null): Promise<SourceBatch[]> {
    const batches: SourceBatch[] = [];
    for await (const batch of source.batches(from, new AbortController().signal)) batches.push(batch);
    return batches;
  }

  it('passes over nothing, wherever it begins', async () => {
    const whole = await read(null);
    expect(whole.flatMap((batch) => batch.deliveries)).toEqual(deliveries);
    for (const [index, { positions }] of whole.entries()) {
      const rest = await read(positions);
      expect(rest).toEqual(whole.slice(index + 1));
    }
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort();
    const batches: SourceBatch[] = [];
    for await (const batch of source.batches(null, signal)) batches.push(batch);
    expect(batches).toEqual([]);
  });
});

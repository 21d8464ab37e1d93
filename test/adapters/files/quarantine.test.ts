import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileQuarantine } from '../../../adapters/files/quarantine.ts';
import type { QuarantineEntry } from '../../../flows/ports.ts';
import { quarantineContract } from '../../support/contracts/quarantine.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();
let opened = 0;

function newFolder(): string {
  return join(folder, String(++opened));
}

function entry(line: number, quarantinedAtMillis = 0): QuarantineEntry {
  const place = { kind: 'file', file: 'f', line } as const;
  return {
    table: 'orders',
    kind: 'no-keys',
    reason: 'The record has no Keys.',
    place,
    raw: `{"n":${line}}`,
    quarantinedAtMillis,
  };
}

quarantineContract('a folder', () => createFileQuarantine(newFolder()));

describe('the quarantine of a folder', () => {
  it('holds every entry whole, one a line', async () => {
    const place = newFolder();
    const quarantine = createFileQuarantine(place);
    await quarantine.put([entry(1), entry(2)]);
    const [name = ''] = readdirSync(join(place, 'orders'));
    const lines = readFileSync(join(place, 'orders', name), 'utf8').split('\n');
    expect(lines.slice(0, -1).map((line) => JSON.parse(line) as unknown)).toEqual([entry(1), entry(2)]);
    expect(lines.at(-1)).toBe('');
  });

  it('makes no second file of a batch that is put in again later', async () => {
    const place = newFolder();
    const quarantine = createFileQuarantine(place);
    await quarantine.put([entry(1, 1000)]);
    await quarantine.put([entry(1, 2000)]);
    expect(readdirSync(join(place, 'orders'))).toHaveLength(1);
  });

  it('outlives the process that filled it', async () => {
    const place = newFolder();
    await createFileQuarantine(place).put([entry(1)]);
    expect(await createFileQuarantine(place).counts('orders')).toEqual({ 'no-keys': 1 });
  });

  it('says what to do when the folder cannot be used', async () => {
    const place = newFolder();
    writeFileSync(place, '');
    await expect(createFileQuarantine(place).put([entry(1)])).rejects.toMatchObject({ code: 'unavailable' });
  });
});

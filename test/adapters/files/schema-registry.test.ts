import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileSchemaRegistry } from '../../../adapters/files/schema-registry.ts';
import { schemaRegistryContract } from '../../support/contracts/schema-registry.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();
let opened = 0;

function newFolder(): string {
  return join(folder, String(++opened));
}

schemaRegistryContract('a folder', () => createFileSchemaRegistry(newFolder()));

describe('the schemas of a folder', () => {
  it('outlive the process that saved them', async () => {
    const place = newFolder();
    await createFileSchemaRegistry(place).save('orders', schemaOf());
    expect(await createFileSchemaRegistry(place).load('orders')).toEqual([schemaOf()]);
  });

  it('leave nothing but a file for each version, whoever loses', async () => {
    const place = newFolder();
    const savers = Array.from({ length: 5 }, () => createFileSchemaRegistry(place).save('orders', schemaOf()));
    const outcomes = await Promise.allSettled(savers);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(join(place, 'orders'))).toEqual(['1.json']);
  });

  it('are named when one cannot be read', async () => {
    const place = newFolder();
    mkdirSync(join(place, 'orders'), { recursive: true });
    const file = join(place, 'orders', '1.json');
    for (const text of ['', '{', '{"version":1}', '{"version":1,"columns":[{"name":"a","type":"decimal(99,1)"}]}']) {
      writeFileSync(file, text);
      const loading = createFileSchemaRegistry(place).load('orders');
      await expect(loading).rejects.toMatchObject({
        code: 'corrupt',
        message: expect.stringContaining(file) as string,
      });
    }
  });

  it('say what to do when the folder cannot be used', async () => {
    const place = newFolder();
    writeFileSync(place, 'a file where the folder should be');
    const registry = createFileSchemaRegistry(place);
    await expect(registry.load('orders')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(registry.save('orders', schemaOf())).rejects.toMatchObject({ code: 'unavailable' });
    expect(readFileSync(place, 'utf8')).toBe('a file where the folder should be');
  });
});

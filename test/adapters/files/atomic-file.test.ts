import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFile, isCode, readTextIfThere, replaceFile, unusable } from '../../../adapters/files/atomic-file.ts';
import { GlasshouseError } from '../../../core/errors.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();

it('a file that is not there has no text', async () => {
  expect(await readTextIfThere(join(folder, 'never', 'there'))).toBeNull();
});

it('replacing a file makes its folders, leaves the new text and nothing beside it', async () => {
  const place = join(folder, 'a', 'b');
  await replaceFile(join(place, 'f'), 'one');
  await replaceFile(join(place, 'f'), 'two');
  expect(await readTextIfThere(join(place, 'f'))).toBe('two');
  expect(readdirSync(place)).toEqual(['f']);
});

it('a reader sees the whole of one text or of another, never a mixture', async () => {
  const file = join(folder, 'c');
  const texts = ['x', 'y', 'z'].map((letter) => letter.repeat(100_000));
  await replaceFile(file, texts[0] ?? '');
  let writing = true;
  const writes = Promise.all(texts.map((text) => replaceFile(file, text))).finally(() => (writing = false));
  while (writing) {
    expect(texts).toContain(readFileSync(file, 'utf8'));
    await new Promise(setImmediate);
  }
  await writes;
});

it('of many that create one file exactly one does, and its text stays', async () => {
  const file = join(folder, 'd', 'f');
  const made = await Promise.all([1, 2, 3, 4].map((writer) => createFile(file, `of ${writer}`)));
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(readFileSync(file, 'utf8')).toBe(`of ${made.indexOf(true) + 1}`);
  expect(readdirSync(join(folder, 'd'))).toEqual(['f']);
});

it('what cannot be written is told with its path, and leaves nothing behind', async () => {
  const place = join(folder, 'e');
  mkdirSync(join(place, 'taken'), { recursive: true });
  const replacing = replaceFile(join(place, 'taken'), 'text');
  await expect(replacing).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(join(place, 'taken')) as string,
  });
  expect(readdirSync(place)).toEqual(['taken']);
  await expect(readTextIfThere(place)).rejects.toMatchObject({ code: 'unavailable' });
});

it('a full disk is told as such, and an error of ours stays what it is', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect(isCode(full, 'ENOSPC')).toBe(true);
  expect(isCode('ENOSPC', 'ENOSPC')).toBe(false);
  expect(unusable('f', full).message).toMatch(/f: ENOSPC.*The disk is full.*nothing that was committed is lost/);
  const ours = new GlasshouseError('conflict', 'another was faster');
  expect(unusable('f', ours)).toBe(ours);
});

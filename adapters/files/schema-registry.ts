import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GlasshouseError } from '../../core/errors.ts';
import { schemaFromJson, schemaToJson } from '../../core/schema.ts';
import type { TableSchema } from '../../core/schema.ts';
import type { SchemaRegistry } from '../../flows/ports.ts';
import { createFile, isCode, readTextIfThere, unusable } from './atomic-file.ts';

/**
 * Schemas in files, `<folder>/<table>/<version>.json`, one a version. A version's file is made once and never changed, so
 * making it is the compare-and-set.
 */
export function createFileSchemaRegistry(folder: string): SchemaRegistry {
  const fileOf = (table: string, version: number): string => join(folder, table, `${version}.json`);
  return {
    async load(table) {
      const versions = await storedVersions(join(folder, table));
      return Promise.all(versions.map((version) => readSchema(fileOf(table, version))));
    },
    async save(table, schema) {
      const newest = (await storedVersions(join(folder, table))).at(-1) ?? 0;
      const created =
        newest === schema.version - 1 &&
        (await createFile(fileOf(table, schema.version), `${JSON.stringify(schemaToJson(schema), null, 2)}\n`));
      if (!created) {
        throw new GlasshouseError(
          'conflict',
          `The schema of ${table} has moved on to version ${newest}; load it and add to that.`,
        );
      }
    },
  };
}

async function storedVersions(folder: string): Promise<number[]> {
  try {
    const names = await readdir(folder);
    return names
      .map((name) => /^(\d+)\.json$/.exec(name)?.[1])
      .filter((version) => version !== undefined)
      .map(Number)
      .sort((a, b) => a - b);
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return [];
    throw unusable(folder, thrown);
  }
}

async function readSchema(file: string): Promise<TableSchema> {
  const text = await readTextIfThere(file);
  try {
    return schemaFromJson(JSON.parse(text ?? 'null'));
  } catch (cause) {
    throw new GlasshouseError(
      'corrupt',
      `The schema file ${file} cannot be read; restore it, or replay the table into a new folder.`,
      { cause },
    );
  }
}

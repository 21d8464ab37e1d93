import { GlasshouseError } from '../../core/errors.ts';
import { schemaFromJson, schemaToJson } from '../../core/schema.ts';
import type { SchemaRegistry } from '../../flows/ports.ts';

/** Schemas that live as long as the object does, kept as the JSON text that other registries write. */
export function createMemorySchemaRegistry(): SchemaRegistry {
  const stored = new Map<string, string[]>();
  return {
    load: (table) => Promise.resolve((stored.get(table) ?? []).map((text) => schemaFromJson(JSON.parse(text)))),
    save(table, schema) {
      const versions = stored.get(table) ?? [];
      if (versions.length !== schema.version - 1) {
        const message = `The schema of ${table} has moved on to version ${versions.length}; load it and add to that.`;
        return Promise.reject(new GlasshouseError('conflict', message));
      }
      stored.set(table, [...versions, JSON.stringify(schemaToJson(schema))]);
      return Promise.resolve();
    },
  };
}

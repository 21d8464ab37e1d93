import { columnTypeText, parseColumnType } from '../core/column.ts';
import type { Mirror, MirrorTable, MirrorWarehouse } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { DeclaredColumns } from '../core/schema.ts';
import { readTextIfThere, replaceFile } from '../adapters/files/atomic-file.ts';
import type { Layout } from './layout.ts';

/** What a mirror's folder says of itself, so that a command can work on it without a configuration. */
export interface MirrorFile {
  readonly name: string;
  readonly tables: readonly MirrorTable[];
  readonly targets: Mirror['targets'];
}

interface StoredMirror {
  readonly name: string;
  readonly tables: readonly (Omit<MirrorTable, 'columns' | 'aws'> & {
    readonly columns: Readonly<Record<string, string>>;
  })[];
  readonly targets: {
    readonly lakehouse: boolean;
    readonly warehouse: (MirrorWarehouse & { readonly external?: true }) | null;
  };
}

/** Writes what the folder is a mirror of. The URL of a user's own warehouse is left out: it may hold a password. */
export async function writeMirrorFile(layout: Layout, mirror: MirrorFile): Promise<void> {
  const { warehouse, lakehouse } = mirror.targets;
  const stored: StoredMirror = {
    name: mirror.name,
    tables: mirror.tables.map((table) => storedTable(table)),
    targets: {
      lakehouse,
      warehouse: warehouse?.url == null ? warehouse : { ...warehouse, url: null, external: true },
    },
  };
  const text = `${JSON.stringify(stored, null, 2)}\n`;
  if ((await readTextIfThere(layout.mirrorFile)) !== text) await replaceFile(layout.mirrorFile, text);
}

/** Reads it; null where the folder is no mirror's. */
export async function readMirrorFile(layout: Layout): Promise<MirrorFile | null> {
  const text = await readTextIfThere(layout.mirrorFile);
  if (text === null) return null;
  let stored: StoredMirror;
  try {
    stored = JSON.parse(text) as StoredMirror;
  } catch (cause) {
    throw new GlasshouseError(
      'corrupt',
      `${layout.mirrorFile} is no JSON; name the configuration with --config instead.`,
      { cause },
    );
  }
  const { lakehouse, warehouse } = stored.targets;
  return {
    name: stored.name,
    tables: stored.tables.map((table) => ({ ...table, columns: declaredOf(table.columns), aws: null })),
    targets: { lakehouse, warehouse: warehouse === null ? null : ownWarehouse(warehouse, layout) },
  };
}

function ownWarehouse(stored: MirrorWarehouse & { readonly external?: true }, layout: Layout): MirrorWarehouse {
  if (stored.external === true) {
    throw new GlasshouseError(
      'config',
      `The mirror in ${layout.dir} loads a PostgreSQL of its user's; name the configuration that has its URL with --config.`,
    );
  }
  return { url: null, schema: stored.schema };
}

/** The mirror of a configuration, or of the folder where there is none. Throws `usage` where the folder is no mirror's. */
export async function mirrorOf(mirror: Mirror | null, layout: Layout): Promise<MirrorFile> {
  const found = mirror ?? (await readMirrorFile(layout));
  if (found) return found;
  throw new GlasshouseError(
    'usage',
    `There is no mirror in ${layout.dir}: run \`glasshouse demo\`, \`replay\` or \`run\` first, or name its folder with --dir.`,
  );
}

/** Where the table is on AWS says nothing of the folder. */
function storedTable({ name, from, key, ttl, columns, maxColumns }: MirrorTable): StoredMirror['tables'][number] {
  return { name, from, key, ttl, columns: typeTexts(columns), maxColumns };
}

function typeTexts(columns: DeclaredColumns): Record<string, string> {
  return Object.fromEntries(Object.entries(columns).map(([attribute, type]) => [attribute, columnTypeText(type)]));
}

function declaredOf(columns: Readonly<Record<string, string>>): DeclaredColumns {
  const entries = Object.entries(columns).map(([attribute, text]) => [attribute, parseColumnType(text)] as const);
  return Object.fromEntries(entries.flatMap(([attribute, type]) => (type === null ? [] : [[attribute, type]])));
}

import { readFile } from 'node:fs/promises';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Deflate } from '../../core/iceberg/avro-container.ts';
import { type DecodedEntry, decodeManifest } from '../../core/iceberg/manifest.ts';
import { type ManifestFile, decodeManifestList } from '../../core/iceberg/manifest-list.ts';
import { diskError } from './durable-files.ts';

/** Deflate by zlib. Level 1: manifests are small, and a commit waits for them. */
export const DEFLATE: Deflate = {
  compress: (bytes) => deflateRawSync(bytes, { level: 1 }),
  decompress: (bytes) => inflateRawSync(bytes),
};

/** How many entries of manifests are kept decoded, and how many manifest lists. */
const CACHED_ENTRIES = 100_000;
const CACHED_LISTS = 64;

/** Manifests and manifest lists, which never change once written: those used last are kept in memory. */
export interface ManifestReader {
  entries(manifest: ManifestFile): Promise<readonly DecodedEntry[]>;
  list(path: string): Promise<readonly ManifestFile[]>;
  /** Tells the list of a snapshot that was just committed, so that it need not be read back. */
  remember(path: string, manifests: readonly ManifestFile[]): void;
}

/** A reader with an empty cache. Its methods throw `unavailable` when a file cannot be read, `corrupt` when it is damaged. */
export function manifestReader(): ManifestReader {
  const entries = new Map<string, readonly DecodedEntry[]>();
  const lists = new Map<string, readonly ManifestFile[]>();
  let cachedEntries = 0;
  const rememberEntries = (path: string, decoded: readonly DecodedEntry[]) => {
    entries.set(path, decoded);
    cachedEntries += decoded.length;
    for (const [oldest, old] of entries) {
      if (cachedEntries <= CACHED_ENTRIES || oldest === path) break;
      entries.delete(oldest);
      cachedEntries -= old.length;
    }
  };
  const rememberList = (path: string, manifests: readonly ManifestFile[]) => {
    lists.delete(path);
    lists.set(path, manifests);
    for (const oldest of lists.keys()) {
      if (lists.size <= CACHED_LISTS) break;
      lists.delete(oldest);
    }
  };
  return {
    async entries(manifest) {
      const cached = entries.get(manifest.path);
      if (cached !== undefined) return cached;
      const inherited = { sequenceNumber: manifest.sequenceNumber, snapshotId: manifest.addedSnapshotId };
      const decoded = decodeManifest(await readBytes(manifest.path), inherited, DEFLATE);
      if (!entries.has(manifest.path)) rememberEntries(manifest.path, decoded);
      return decoded;
    },
    async list(path) {
      const cached = lists.get(path);
      if (cached !== undefined) return cached;
      const manifests = decodeManifestList(await readBytes(path), DEFLATE);
      rememberList(path, manifests);
      return manifests;
    },
    remember: rememberList,
  };
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw diskError('read', path, cause);
  }
}

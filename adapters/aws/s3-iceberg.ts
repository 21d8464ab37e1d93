import type { Table } from '@aws-sdk/client-glue';
import { GetTableCommand } from '@aws-sdk/client-glue';
import type { S3Client } from '@aws-sdk/client-s3';
import { S3Client as S3 } from '@aws-sdk/client-s3';
import { GlasshouseError } from '../../core/errors.ts';
import type { ListedFile, ListedManifest } from '../../core/iceberg/foreign-manifests.ts';
import type { NewFiles, Replacement, Watermark } from '../../core/iceberg/new-files.ts';
import { NO_FILES, changelogFile, filesSince, historySince } from '../../core/iceberg/new-files.ts';
import type { HistorySnapshot } from '../../core/iceberg/table-history.ts';
import { changelogName } from '../../core/lake-tables.ts';
import type { LakeFiles } from '../../flows/merge-ports.ts';
import { quietly } from './clients.ts';
import type { GlueAccess } from './glue-access.ts';
import { callGlue } from './glue-access.ts';
import { isNamed } from './glue-failure.ts';
import type { IcebergObjects } from './s3-iceberg-objects.ts';
import { MissingObject, icebergObjects } from './s3-iceberg-objects.ts';

/** A client of S3 in the environment's region; the caller destroys it. */
export function openS3(): S3Client {
  return quietly(() => new S3({}));
}

/** So often is a table's metadata read anew where what it names has gone: others commit and remove meanwhile. */
const MOST_READS = 4;
/** Of the whole changelog, no more manifests than these are read: they would tell counts and times alone. */
const MOST_WHOLE_MANIFESTS = 100;

/** The files of changelogs that Glue names the metadata of and S3 holds. What was read once is kept while the function is warm. */
export class S3LakeFiles implements LakeFiles {
  private readonly glue: GlueAccess;
  private readonly objects: IcebergObjects;

  /** The caller keeps both clients, and destroys them. */
  constructor(glue: GlueAccess, s3: S3Client) {
    this.glue = glue;
    this.objects = icebergObjects({ client: s3, timing: glue.timing, patienceMs: glue.patienceMs });
  }

  async newFiles(table: string, since: Watermark | null): Promise<NewFiles> {
    for (let attempt = 1; ; attempt++) {
      const location = await this.metadataLocation(changelogName(table));
      try {
        return await this.newFilesAt(location, since);
      } catch (thrown) {
        if (!(thrown instanceof MissingObject) || attempt === MOST_READS) throw thrown;
      }
    }
  }

  async viewColumns(view: string): Promise<readonly string[] | null> {
    const found = await this.describe(view);
    return found?.StorageDescriptor?.Columns?.map((column) => column.Name ?? '') ?? null;
  }

  private async newFilesAt(location: string, since: Watermark | null): Promise<NewFiles> {
    const history = await this.objects.history(location);
    const { current } = history;
    if (current === null) return NO_FILES;
    const upTo: Watermark = { sequence: current.sequence, snapshotId: current.id };
    const past = historySince(history, since);
    if (past.whole === null && past.snapshots.length === 0) return { ...NO_FILES, upTo };
    const manifests = (await this.objects.manifestList(current.manifestList)).filter(isLiveData);
    if (past.whole !== null || since === null) {
      const isTold = manifests.length <= MOST_WHOLE_MANIFESTS;
      const live = isTold ? (await this.entriesOf(manifests)).filter(isLive) : [];
      const records = isTold ? countRecords(live) : (current.totalRecords ?? 0);
      return { upTo, whole: past.whole, files: live.map((file) => changelogFile(file, history)), records };
    }
    const added = await this.entriesOf(manifests.filter((manifest) => manifest.sequence > since.sequence));
    const live = added.filter((file) => isLive(file) && file.fileSequence > since.sequence);
    const files = filesSince(live, since, await this.replacements(past.snapshots));
    return {
      upTo,
      whole: null,
      files: files.map((file) => changelogFile(file, history)),
      records: countRecords(files),
    };
  }

  /** Every compaction among some snapshots, with what it replaced. */
  private async replacements(snapshots: readonly HistorySnapshot[]): Promise<readonly Replacement[]> {
    const compactions = snapshots.filter((snapshot) => snapshot.operation === 'replace');
    return Promise.all(
      compactions.map(async ({ id, sequence, manifestList }): Promise<Replacement> => {
        try {
          const manifests = (await this.objects.manifestList(manifestList)).filter(
            (manifest) => manifest.content === 'data' && manifest.addedSnapshotId === id,
          );
          const entries = await this.entriesOf(manifests);
          return { sequence, replaced: entries.filter((one) => one.status === 'deleted' && one.snapshotId === id) };
        } catch (thrown) {
          // Expired meanwhile: its files are judged by their place in the history.
          if (thrown instanceof MissingObject) return { sequence, replaced: null };
          throw thrown;
        }
      }),
    );
  }

  private async entriesOf(manifests: readonly ListedManifest[]): Promise<readonly ListedFile[]> {
    return (await Promise.all(manifests.map((manifest) => this.objects.entries(manifest)))).flat();
  }

  private async metadataLocation(name: string): Promise<string> {
    const table = await this.describe(name);
    const location = table?.Parameters?.metadata_location;
    if (location !== undefined) return location;
    const what = table === null ? 'is missing' : 'is no Iceberg table: it has no metadata_location';
    throw new GlasshouseError(
      'config',
      `The Glue table ${this.glue.place.database}.${name} ${what}. Deploy again with \`cdk deploy\`, which makes it where there is none.`,
    );
  }

  private async describe(name: string): Promise<Table | null> {
    return callGlue(this.glue, `read the Glue table ${name}`, async () => {
      try {
        const command = new GetTableCommand({ DatabaseName: this.glue.place.database, Name: name });
        return (await this.glue.client.send(command)).Table ?? null;
      } catch (thrown) {
        if (isNamed(thrown, 'EntityNotFoundException')) return null;
        throw thrown;
      }
    });
  }
}

function isLiveData(manifest: ListedManifest): boolean {
  return manifest.content === 'data' && manifest.hasLiveFiles;
}

function isLive(file: ListedFile): boolean {
  return file.status !== 'deleted';
}

function countRecords(files: readonly ListedFile[]): number {
  return files.reduce((sum, file) => sum + file.records, 0);
}

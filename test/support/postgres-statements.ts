import pg from 'pg';
import type { EnvelopeDialect } from '../../core/sql/plans/envelope-load.ts';
import { postgresEnvelopes } from '../../core/sql/plans/envelope-load.ts';
import type { Manifests, Submission, WarehouseStatements } from '../../flows/load-ports.ts';
import type { MemoryStaging } from './staging.ts';

/** The relation that stands for S3. */
export const ON_POSTGRES: EnvelopeDialect = postgresEnvelopes('"_staging"."lines"');

/** A PostgreSQL that takes statements as the Data API does: a batch is one transaction, and says which statement failed. */
export class PostgresStatements implements WarehouseStatements {
  private readonly pool: pg.Pool;
  private readonly ended = new Map<string, Submission>();
  private readonly tokens = new Map<string, string>();

  private constructor(url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 4 });
  }

  static async open(url: string): Promise<PostgresStatements> {
    const one = new PostgresStatements(url);
    await one.pool.query(
      'CREATE SCHEMA IF NOT EXISTS "_staging"; CREATE TABLE IF NOT EXISTS "_staging"."lines" ("manifest" text, "line" text)',
    );
    return one;
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  async submit(statements: readonly string[], token: string | null): Promise<string> {
    const known = token === null ? undefined : this.tokens.get(token);
    if (known !== undefined) return known;
    const id = `statement-${this.ended.size}`;
    if (token !== null) this.tokens.set(token, id);
    this.ended.set(id, await this.execute(statements));
    return id;
  }

  describe(id: string): Promise<Submission> {
    return Promise.resolve(this.ended.get(id) ?? { state: 'unknown' });
  }

  async query(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    const { rows } = await this.pool.query<(string | null)[]>({ text: sql, rowMode: 'array' });
    return rows;
  }

  /** Runs the first `upTo` statements of a transaction; fewer than all, and it dies before it commits. */
  async execute(statements: readonly string[], upTo = statements.length): Promise<Submission> {
    const client = await this.pool.connect();
    let at = 0;
    try {
      await client.query('BEGIN');
      for (; at < upTo; at++) await client.query(statements[at] ?? '');
      await client.query(upTo < statements.length ? 'ROLLBACK' : 'COMMIT');
      return { state: 'finished', endedAtMillis: 0 };
    } catch (thrown) {
      await client.query('ROLLBACK');
      return { state: 'failed', message: String(thrown), statement: at, endedAtMillis: 0 };
    } finally {
      client.release();
    }
  }

  async putLines(manifestUrl: string, lines: readonly string[]): Promise<void> {
    await this.pool.query('DELETE FROM "_staging"."lines" WHERE "manifest" = $1', [manifestUrl]);
    await this.pool.query('INSERT INTO "_staging"."lines" SELECT $1, unnest($2::text[])', [manifestUrl, lines]);
  }

  /** Manifests whose lines are put where the load finds them. */
  manifests(staging: MemoryStaging): Manifests {
    return {
      write: async (key, urls) => {
        const url = await staging.write(key, urls);
        await this.putLines(url, staging.linesOf(url));
        return url;
      },
    };
  }
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BIN = resolve('dist/bin/glasshouse.js');

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line to its end. */
export async function glasshouse(words: readonly string[], cwd: string, input?: string): Promise<Outcome> {
  const child = spawn(process.execPath, [BIN, ...words], { cwd, stdio: 'pipe' });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (out.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (out.stderr += chunk.toString()));
  child.stdin.end(input ?? '');
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...out };
}

/** Starts the built command line, unheard; the caller ends it. */
export function start(words: readonly string[], cwd: string): ChildProcess {
  return spawn(process.execPath, [BIN, ...words], { cwd, stdio: 'ignore' });
}

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'glasshouse-e2e-'));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Writes a configuration with one table, `orders`, in an embedded DynamoDB. */
export async function writeConfig(folder: string, port: number): Promise<void> {
  const config = `import { defineMirror } from 'glasshouse';
export default defineMirror({
  name: 'shop',
  source: { endpoint: 'embedded', port: ${port} },
  tables: { orders: { from: 'Orders', key: { id: 'S' } } },
  targets: { lakehouse: true, warehouse: true },
});
`;
  await writeFile(join(folder, 'glasshouse.config.ts'), config);
}

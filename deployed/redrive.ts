import { InvokeCommand } from '@aws-sdk/client-lambda';
import { explainFailure } from '../adapters/aws/failure.ts';
import type { Mirror } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { RedriveCursor, RedriveInput, RedrivePage } from '../core/redrive-page.ts';
import { REDRIVE_KINDS, addReports, emptyReport } from '../core/redrive-page.ts';
import type { Clients } from './clients.ts';
import { openClients } from './clients.ts';
import { deploymentOfMirror, regionOf } from './deployment.ts';
import type { DeployedOptions, RedriveResult } from './results.ts';

/** Sends through again what a deployed mirror has set aside, page by page until all is done. It can be stopped and begun again at any time. */
export async function redriveDeployed(mirror: Mirror, options: DeployedOptions): Promise<RedriveResult> {
  const clients = openClients(regionOf(mirror, options));
  try {
    const { redriveFunction } = await deploymentOfMirror(mirror, clients, options);
    const tables = mirror.tables.map(({ name, from, maxColumns }) => ({ table: name, sourceTable: from, maxColumns }));
    const notes = new Set<string>();
    let counts = emptyReport();
    let cursor: RedriveCursor | null = null;
    do {
      options.signal.throwIfAborted();
      const page: RedrivePage = await invoke(clients, redriveFunction, { tables, cursor });
      counts = addReports(counts, page.counts);
      page.notes.forEach((note) => notes.add(note));
      cursor = page.cursor;
      const redriven = REDRIVE_KINDS.reduce((sum, kind) => sum + counts[kind].redriven, 0);
      if (cursor !== null) options.log(`${redriven} redriven so far, at ${cursor.kind}.`);
    } while (cursor !== null);
    return { counts, notes: [...notes] };
  } finally {
    clients.close();
  }
}

async function invoke(clients: Clients, name: string, input: RedriveInput): Promise<RedrivePage> {
  try {
    const command = new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(input) });
    const { FunctionError: failed, Payload: payload } = await clients.lambda().send(command);
    const text = payload === undefined ? '' : Buffer.from(payload).toString('utf8');
    if (failed !== undefined) throw functionFailure(name, text);
    return JSON.parse(text) as RedrivePage;
  } catch (thrown) {
    throw explainFailure(thrown, `run the function ${name}`);
  }
}

/** What a function threw, as Lambda tells it. */
function functionFailure(name: string, text: string): GlasshouseError {
  return new GlasshouseError(
    'unavailable',
    `The function ${name} failed: ${messageIn(text)} Nothing is lost: run \`glasshouse redrive --deployed\` again once that is settled; ` +
      `its log group /aws/lambda/${name} says more.`,
  );
}

function messageIn(text: string): string {
  try {
    const { errorMessage } = JSON.parse(text) as { readonly errorMessage?: unknown };
    return typeof errorMessage === 'string' ? errorMessage : text;
  } catch {
    // It was ended before it could say why.
    return text === '' ? 'it gave no reason.' : text;
  }
}

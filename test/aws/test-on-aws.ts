import { join } from 'node:path';
import type { Timing } from '../../adapters/aws/timing.ts';
import { hasAborted } from '../../adapters/aws/timing.ts';
import type { Mirror, MirrorTable } from '../../core/config.ts';
import { validateMirror } from '../../core/config.ts';
import type { Deployment } from '../../core/contract.ts';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import type { Clients } from '../../deployed/clients.ts';
import type {
  DeployedOptions,
  DeployedStatus,
  DeployedVerifyReport,
  DoctorReport,
  TargetName,
} from '../../deployed/results.ts';
import type { TestOptions } from './arguments.ts';
import { cdkArguments } from './cdk.ts';
import type { Check } from './checks/check.ts';
import { hasCredentials, whoAmI } from './credentials.ts';
import { estimateLines } from './estimate.ts';
import type { Freshness } from './freshness.ts';
import { leftOf } from './leftovers.ts';
import { MeasuredMirror } from './measured-mirror.ts';
import { settle } from './settle.ts';
import type { Settled } from './settle.ts';
import { plannedChanges } from './source-changes.ts';
import { configText, throwawayConfig, throwawayName } from './throwaway-mirror.ts';

/** The world of a test on a real account. */
export interface TestPorts {
  openClients(region: string | null): Clients;
  /** Runs node in the root of the repository. A signal that aborts ends it; null: nothing does. */
  runNode(args: readonly string[], signal: AbortSignal | null): Promise<void>;
  /** Asks a person; throws GlasshouseError `usage` where there is none. */
  confirm(question: string): Promise<boolean>;
  readonly print: (line: string) => void;
  /** Keeps the result where the repository's documents are. Returns where that is. */
  keepResult(text: string): Promise<string>;
  /** Writes a file into a folder of this test alone. Returns its path. */
  writeScratch(name: string, text: string): Promise<string>;
  /** Eight hex digits. */
  random(): string;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  readonly deployed: DeployedOperations;
  readonly checks: Readonly<Record<string, Check>>;
}

/** What the command line does with `--deployed`. */
export interface DeployedOperations {
  examine(mirror: Mirror, options: DeployedOptions): Promise<DoctorReport>;
  findDeployment(clients: Clients, mirror: string): Promise<Deployment | null>;
  statusOfDeployed(mirror: Mirror, options: DeployedOptions): Promise<DeployedStatus>;
  verifyDeployed(mirror: Mirror, options: DeployedOptions): Promise<DeployedVerifyReport>;
}

export const NO_CREDENTIALS =
  'Skipped: npm run test:aws needs AWS credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), and there are none.';

/** What a test found: `docs/unverified-result.json`. */
export interface TestResult {
  readonly at: string;
  readonly region: string;
  readonly targets: readonly string[];
  readonly deploySeconds: number;
  readonly written: number;
  /** After the first writes, and after all that was broken and mended. */
  readonly equal: { readonly first: boolean; readonly last: boolean };
  readonly freshness: Partial<Record<TargetName, Freshness>>;
  readonly claims: readonly Settled[];
}

/** Returns the exit code: 0 also where there are no credentials. What was deployed is destroyed whatever happens. */
export async function testOnAws(options: TestOptions, ports: TestPorts): Promise<number> {
  const clients = ports.openClients(options.region);
  try {
    if (!(await hasCredentials(clients.sts()))) {
      ports.print(NO_CREDENTIALS);
      return 0;
    }
    const { account, region } = await whoAmI(clients.sts());
    const { isLakehouseOnly } = options;
    const config = throwawayConfig({ name: throwawayName(ports.random()), region, isLakehouseOnly });
    const mirror = validateMirror(config);
    ports.print(`A mirror ${mirror.name} is going to be deployed into the account ${account}, ${region}.`);
    estimateLines(mirror).forEach((line) => ports.print(line));
    if (!options.isAgreed && !(await ports.confirm('Deploy it?'))) {
      ports.print('Nothing was deployed.');
      return 0;
    }
    const doctor = await examined(mirror, region, ports);
    if (doctor === null) return 1;
    const configPath = await ports.writeScratch('glasshouse.config.mjs', configText(config));
    return await deployAndTest({ options, ports, mirror, region, configPath, doctor });
  } finally {
    clients.close();
  }
}

/** Null where something must be put right before the deploy, which is told. */
async function examined(mirror: Mirror, region: string, ports: TestPorts): Promise<DoctorReport | null> {
  const report = await ports.deployed.examine(mirror, deployedOptions(region, ports));
  const wrong = report.checks.filter((check) => check.verdict === 'wrong');
  for (const { subject, what, found, remedy } of wrong)
    ports.print(`wrong: ${subject}, ${what}: ${found}. ${remedy ?? ''}`);
  return wrong.length === 0 ? report : null;
}

function deployedOptions(region: string, ports: TestPorts): DeployedOptions {
  return { mirror: null, region, signal: ports.signal, log: (line) => ports.print(`  ${line}`) };
}

interface Deploying {
  readonly options: TestOptions;
  readonly ports: TestPorts;
  readonly mirror: Mirror;
  readonly region: string;
  readonly configPath: string;
  readonly doctor: DoctorReport;
}

async function deployAndTest(deploying: Deploying): Promise<number> {
  const { options, ports, mirror, region } = deploying;
  const clients = ports.openClients(region);
  let deployment: Deployment | null = null;
  let code = 1;
  try {
    ports.print('Building and deploying: some ten minutes.');
    const startMillis = ports.timing.now();
    await ports.runNode([join('scripts', 'build.mjs')], ports.signal);
    await ports.runNode(cdkArguments('deploy', placeOf(deploying)), ports.signal);
    const deploySeconds = Math.round((ports.timing.now() - startMillis) / 1000);
    deployment = await ports.deployed.findDeployment(clients, mirror.name);
    if (deployment === null)
      throw new GlasshouseError(
        'unavailable',
        `The deploy ended well, and left no record of the mirror ${mirror.name}.`,
      );
    const result = await testDeployed(deploying, { clients, deployment, deploySeconds });
    code = isWell(result) ? 0 : 1;
  } catch (thrown) {
    ports.print(hasAborted(ports.signal) ? 'Stopped.' : `The test failed: ${messageOf(thrown)}`);
  } finally {
    // A mirror that is to be kept is kept after a failure too: that is when somebody wants to look at it.
    if (options.isKept) ports.print(keptText(deploying));
    else if (!(await destroyed(deploying, { clients, deployment }))) code = 1;
    clients.close();
  }
  return code;
}

function placeOf({ configPath }: Deploying): { readonly configPath: string; readonly outputFolder: string } {
  return { configPath, outputFolder: join(configPath, '..', 'cdk.out') };
}

function keptText(deploying: Deploying): string {
  return `The mirror stays, and costs. To destroy it: node ${cdkArguments('destroy', placeOf(deploying)).join(' ').replace('node dist/bin/app.js', '"node dist/bin/app.js"')}`;
}

/** Whether nothing is left. It goes on after a second Ctrl-C, since what stays would cost. */
async function destroyed(
  deploying: Deploying,
  { clients, deployment }: { readonly clients: Clients; readonly deployment: Deployment | null },
): Promise<boolean> {
  const { ports, mirror } = deploying;
  ports.print('Destroying the mirror.');
  let isDestroyed = true;
  try {
    await ports.runNode(cdkArguments('destroy', placeOf(deploying)), null);
  } catch (thrown) {
    isDestroyed = false;
    ports.print(`Not all could be destroyed: ${messageOf(thrown)}`);
  }
  const left = await leftOf(clients, mirror, deployment);
  if (left.length === 0 && isDestroyed) ports.print('Nothing is left.');
  else ports.print(['What is left:', ...left.map((one) => `  ${one}`)].join('\n'));
  if (!isDestroyed)
    ports.print(`See the stacks that begin with ${stackPrefixHint(mirror)} in the CloudFormation console.`);
  return isDestroyed && left.length === 0;
}

function stackPrefixHint({ name }: Mirror): string {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

interface Deployed {
  readonly clients: Clients;
  readonly deployment: Deployment;
  readonly deploySeconds: number;
}

async function testDeployed(deploying: Deploying, deployed: Deployed): Promise<TestResult> {
  const { ports, mirror, region, doctor } = deploying;
  const { clients, deployment, deploySeconds } = deployed;
  const { timing, signal, print } = ports;
  const options = deployedOptions(region, ports);
  const table = onlyTable(mirror);
  const verify = (): Promise<DeployedVerifyReport> => ports.deployed.verifyDeployed(mirror, options);
  const status = (): Promise<DeployedStatus> => ports.deployed.statusOfDeployed(mirror, options);
  const measured = new MeasuredMirror({ clients, mirror, table, deployment, timing, signal, status });
  const sinceMillis = timing.now();
  for (const step of plannedChanges()) await measured.write(step);
  print(`Wrote ${measured.written} changes; waiting until every target has them.`);
  const seenStatus = await measured.untilFresh();
  const verified = await verify();
  print(`verify: ${verified.equal ? 'equal' : `NOT EQUAL, ${verified.differences.length} differences`}.`);
  const written = measured.written;
  print('Measuring freshness: a row every ten seconds, five minutes long.');
  const freshness = await measured.measure();
  for (const [target, one] of Object.entries(freshness)) print(freshnessLine(target, one));
  const world = {
    ...{ clients, mirror, table, deployment, timing, signal, verify },
    seen: { doctor, status: seenStatus, verified, written, sinceMillis },
    write: (changes: Parameters<MeasuredMirror['write']>[0]) => measured.write(changes),
    untilFresh: async () => {
      await measured.untilFresh();
    },
  };
  const claims = await settle(ports.checks, world, print);
  signal.throwIfAborted();
  await measured.untilFresh();
  const equal = { first: verified.equal, last: (await verify()).equal };
  print(`verify, after all that was broken and mended: ${equal.last ? 'equal' : 'NOT EQUAL'}.`);
  const targets = (['lakehouse', 'warehouse'] as const).filter((target) => deployment[target] !== null);
  const at = new Date(timing.now()).toISOString();
  const result = { at, region, targets, deploySeconds, written: measured.written, equal, freshness, claims };
  print(summaryLine(claims));
  print(`Written to ${await ports.keepResult(`${JSON.stringify(result, null, 2)}\n`)}.`);
  return result;
}

function onlyTable(mirror: Mirror): MirrorTable {
  const [table] = mirror.tables;
  if (table !== undefined) return table;
  throw new GlasshouseError('bug', `The mirror ${mirror.name} has no table.`);
}

function freshnessLine(target: string, { p50Ms, p95Ms, rows, unseen }: Freshness): string {
  const seconds = (ms: number | null): string => (ms === null ? '-' : `${(ms / 1000).toFixed(1)} s`);
  return `freshness of the ${target}: p50 ${seconds(p50Ms)}, p95 ${seconds(p95Ms)}, ${rows - unseen} of ${rows} rows seen.`;
}

function summaryLine(claims: readonly Settled[]): string {
  const count = (verdict: Settled['verdict']): number => claims.filter((one) => one.verdict === verdict).length;
  return `Of ${claims.length} claims ${count('holds')} hold, ${count('broken')} do not, ${count('open')} are still open.`;
}

function isWell({ equal, freshness, claims }: TestResult): boolean {
  const isSeen = Object.values(freshness).every((one) => one.unseen === 0);
  return equal.first && equal.last && isSeen && claims.every((claim) => claim.verdict !== 'broken');
}

import type { Mirror } from '../core/config.ts';
import type { CostReport, LoadAssumed } from '../core/cost/cost-report.ts';
import type {
  DeployedMaintainReport,
  DeployedOptions,
  DeployedStatus,
  DeployedVerifyReport,
  DoctorReport,
  RedriveResult,
} from '../deployed/results.ts';
import type { EmbeddedDynamoDb, EmbeddedDynamoDbOptions } from '../local/dynamodb/server.ts';
import type {
  CommonOptions,
  DemoReport,
  DemoRequest,
  LocalRedriveReport,
  MaintainReport,
  QueryResult,
  ReplayRequest,
  RunSummary,
  SchemaReport,
  StatusReport,
  TargetName,
  VerifyReport,
} from '../local/results.ts';

/** What the commands have done for them, by the embedded runtime or of a deployed mirror. A null mirror is a folder described by what it holds. */
export interface Operations {
  loadConfig(path: string): Promise<Mirror>;
  findConfig(folder: string): Promise<string | null>;
  runDemo(request: DemoRequest, options: CommonOptions & { readonly say: (line: string) => void }): Promise<DemoReport>;
  runMirror(mirror: Mirror, options: CommonOptions & { readonly untilIdle: boolean }): Promise<RunSummary>;
  replayFiles(request: ReplayRequest, options: CommonOptions): Promise<RunSummary>;
  verifyMirror(mirror: Mirror, options: CommonOptions): Promise<VerifyReport>;
  statusOf(mirror: Mirror | null, options: CommonOptions): Promise<StatusReport>;
  queryMirror(mirror: Mirror | null, sql: string, target: TargetName, options: CommonOptions): Promise<QueryResult>;
  schemaOf(mirror: Mirror | null, table: string, options: CommonOptions): Promise<SchemaReport>;
  maintainMirror(mirror: Mirror | null, options: CommonOptions): Promise<MaintainReport>;
  redriveMirror(mirror: Mirror | null, options: CommonOptions): Promise<LocalRedriveReport>;
  startDynamoDb(options: EmbeddedDynamoDbOptions): Promise<EmbeddedDynamoDb>;
  costOf(mirror: Mirror | null, load: LoadAssumed): Promise<CostReport>;
  examine(mirror: Mirror, options: DeployedOptions): Promise<DoctorReport>;
  statusOfDeployed(mirror: Mirror, options: DeployedOptions): Promise<DeployedStatus>;
  verifyDeployed(mirror: Mirror, options: DeployedOptions): Promise<DeployedVerifyReport>;
  redriveDeployed(mirror: Mirror, options: DeployedOptions): Promise<RedriveResult>;
  maintainDeployed(
    mirror: Mirror,
    options: DeployedOptions & { readonly dryRun: boolean },
  ): Promise<DeployedMaintainReport>;
}

/** Each is imported when it is called, so that help and mistakes are answered at once. */
export const embeddedOperations: Operations = {
  loadConfig: async (path) => (await import('../adapters/files/config-file.ts')).loadConfigFile(path),
  findConfig: async (folder) => (await import('../adapters/files/config-file.ts')).findConfigFile(folder),
  runDemo: async (...args) => (await import('../local/demo.ts')).runDemo(...args),
  runMirror: async (...args) => (await import('../local/run.ts')).runMirror(...args),
  replayFiles: async (...args) => (await import('../local/replay.ts')).replayFiles(...args),
  verifyMirror: async (...args) => (await import('../local/verify.ts')).verifyMirror(...args),
  statusOf: async (...args) => (await import('../local/status.ts')).statusOf(...args),
  queryMirror: async (...args) => (await import('../local/query.ts')).queryMirror(...args),
  schemaOf: async (...args) => (await import('../local/schema.ts')).schemaOf(...args),
  maintainMirror: async (...args) => (await import('../local/maintain.ts')).maintainMirror(...args),
  redriveMirror: async (...args) => (await import('../local/redrive.ts')).redriveMirror(...args),
  costOf: async (...args) => (await import('../core/cost/cost-report.ts')).costReport(...args),
  examine: async (...args) => (await import('../deployed/doctor.ts')).examine(...args),
  statusOfDeployed: async (...args) => (await import('../deployed/status.ts')).statusOfDeployed(...args),
  verifyDeployed: async (...args) => (await import('../deployed/verify.ts')).verifyDeployed(...args),
  redriveDeployed: async (...args) => (await import('../deployed/redrive.ts')).redriveDeployed(...args),
  maintainDeployed: async (...args) => (await import('../deployed/maintain.ts')).maintainDeployed(...args),
  startDynamoDb: async (options) => (await import('../local/dynamodb/server.ts')).startEmbeddedDynamoDb(options),
};

/** What a `glasshouse.config.ts` and its tools import: no more of the package than that, and nothing of the CDK. */
export {
  defineMirror,
  validateMirror,
  type FreshnessConfig,
  type KeyTypeText,
  type Mirror as ValidMirror,
  type MirrorConfig,
  type MirrorSource,
  type MirrorTable,
  type MirrorWarehouse,
  type SourceConfig,
  type TableConfig,
  type TargetsConfig,
  type WarehouseConfig,
} from './core/config.ts';
export type {
  AwsConfig,
  CaptureConfig,
  LakehouseConfig,
  MirrorAws,
  MirrorRedshift,
  MirrorTableAws,
  OnDestroy,
  RedshiftConfig,
  RedshiftPlace,
  TableAwsConfig,
} from './core/config/aws-config.ts';
export type { ColumnType, ColumnTypeText } from './core/column.ts';
export { GlasshouseError, type ErrorCode } from './core/errors.ts';

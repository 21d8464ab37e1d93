/** The public face of the package: what a `glasshouse.config.ts` and its tools import. */
export {
  defineMirror,
  validateMirror,
  type FreshnessConfig,
  type KeyTypeText,
  type Mirror,
  type MirrorConfig,
  type MirrorSource,
  type MirrorTable,
  type MirrorWarehouse,
  type SourceConfig,
  type TableConfig,
  type TargetsConfig,
  type WarehouseConfig,
} from './core/config.ts';
export type { ColumnType, ColumnTypeText } from './core/column.ts';
export { GlasshouseError, type ErrorCode } from './core/errors.ts';

import { messageOf } from '../../core/errors.ts';
import type { MetricName } from '../../core/metric-names.ts';
import type { Log, LogFields } from '../../flows/log.ts';
import type { Metrics } from '../../flows/metrics.ts';

/** Metrics that live as long as their object does. */
export interface MemoryMetrics extends Metrics {
  /** Every value that was added under a name, in order, whatever its dimensions; of one table or target where those are given. */
  values(name: MetricName, dimensions?: Parameters<Metrics['add']>[2]): readonly number[];
  /** Their sum. */
  total(name: MetricName, dimensions?: Parameters<Metrics['add']>[2]): number;
}

export function createMemoryMetrics(): MemoryMetrics {
  const added: { name: MetricName; value: number; dimensions: Parameters<Metrics['add']>[2] }[] = [];
  const values: MemoryMetrics['values'] = (name, { table, target } = {}) =>
    added
      .filter((one) => one.name === name)
      .filter((one) => table === undefined || one.dimensions.table === table)
      .filter((one) => target === undefined || one.dimensions.target === target)
      .map((one) => one.value);
  return {
    add: (name, value, dimensions) => added.push({ name, value, dimensions }),
    values,
    total: (name, dimensions) => values(name, dimensions).reduce((sum, value) => sum + value, 0),
  };
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** A log that lives as long as its object does. */
export interface MemoryLog extends Log {
  readonly lines: readonly LogLine[];
}

export function createMemoryLog(): MemoryLog {
  const lines: LogLine[] = [];
  return {
    lines,
    info: (message, fields = {}) => lines.push({ level: 'info', message, fields }),
    warn: (message, fields = {}) => lines.push({ level: 'warn', message, fields }),
    error: (message, thrown, fields = {}) =>
      lines.push({
        level: 'error',
        message,
        fields: thrown === undefined ? fields : { ...fields, error: messageOf(thrown) },
      }),
  };
}

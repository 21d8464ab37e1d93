import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics as EmfMetrics } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';
import type { Context } from 'aws-lambda';
import type { FunctionRole } from '../../core/contract.ts';
import type { MetricName } from '../../core/metric-names.ts';
import { METRICS, METRIC_NAMESPACE } from '../../core/metric-names.ts';
import type { Log, LogFields } from '../../flows/log.ts';
import type { Metrics } from '../../flows/metrics.ts';

/** What a run may know of its invocation. */
export interface Invocation {
  readonly requestId: string;
  /** Epoch milliseconds at which Lambda will end it. */
  readonly endsAtMillis: number;
  /** The function's own ARN. */
  readonly functionArn: string;
}

/** What a handler has to say for itself; made once a function, outside its handler. */
export interface Telemetry {
  readonly log: Log;
  readonly metrics: Metrics;
  /** The same client, its calls shown in traces. */
  readonly traced: <Client>(client: Client) => Client;
  /**
   * Makes a Lambda handler of a run: log lines bear the request's id and what `correlate` finds in the event, metrics are
   * written out at the end, and what is thrown is logged and thrown on.
   */
  readonly handler: <Event, Result>(
    run: (event: Event, invocation: Invocation) => Promise<Result>,
    correlate?: (event: Event) => LogFields,
  ) => (event: Event, context: Context) => Promise<Result>;
}

/** Powertools' logger, metrics and tracer for one function of a mirror. */
export function createTelemetry(role: FunctionRole, mirror: string): Telemetry {
  const serviceName = `glasshouse-${role}`;
  const logger = new Logger({ serviceName, persistentKeys: { mirror } });
  const metrics = createEmf(serviceName, mirror);
  // Calls are traced client by client, with the names of their operations, rather than as HTTP requests.
  const tracer = new Tracer({ serviceName, captureHTTPsRequests: false });
  return {
    log: logOf(logger),
    metrics,
    traced: (client) => tracer.captureAWSv3Client(client),
    handler: (run, correlate) => async (event, context) => {
      logger.addContext(context);
      logger.appendKeys({ ...correlate?.(event) });
      const endSegment = beginSegment(tracer, role);
      const endsAtMillis = Date.now() + context.getRemainingTimeInMillis();
      try {
        const { awsRequestId: requestId, invokedFunctionArn: functionArn } = context;
        return await run(event, { requestId, endsAtMillis, functionArn });
      } catch (thrown) {
        logger.error(`The ${role} function failed`, { error: errorOf(thrown) });
        tracer.addErrorAsMetadata(errorOf(thrown));
        throw thrown;
      } finally {
        metrics.flush();
        endSegment();
        logger.resetKeys();
      }
    },
  };
}

function logOf(logger: Logger): Log {
  return {
    info: (message, fields) => logger.info(message, { ...fields }),
    warn: (message, fields) => logger.warn(message, { ...fields }),
    error: (message, thrown, fields) =>
      logger.error(message, thrown === undefined ? { ...fields } : { ...fields, error: errorOf(thrown) }),
  };
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** A segment around the run, to which traced calls belong. Returns how to end it. */
function beginSegment(tracer: Tracer, role: string): () => void {
  if (!tracer.isTracingEnabled()) return () => undefined;
  const around = tracer.getSegment();
  const segment = around?.addNewSubsegment(`## ${role}`);
  if (around === undefined || segment === undefined) return () => undefined;
  tracer.setSegment(segment);
  tracer.annotateColdStart();
  return () => {
    segment.close();
    tracer.setSegment(around);
  };
}

type Dimensions = Parameters<Metrics['add']>[2];

/** CloudWatch takes so many values of a metric in one line. */
const MOST_VALUES = 100;

interface Group {
  readonly dimensions: Dimensions;
  readonly values: Map<MetricName, number[]>;
}

/** Gathers what is added and writes it to the log in CloudWatch's embedded format, one line for each set of dimensions. */
function createEmf(serviceName: string, mirror: string): Metrics & { flush(): void } {
  const emf = new EmfMetrics({ namespace: METRIC_NAMESPACE, serviceName });
  // Powertools adds a dimension `service`, and an alarm finds a metric only by exactly its dimensions.
  emf.clearDefaultDimensions();
  emf.setDefaultDimensions({ mirror });
  const groups = new Map<string, Group>();
  return {
    add(name, value, dimensions) {
      if (!Number.isFinite(value)) return;
      const key = `${dimensions.table ?? ''} ${dimensions.target ?? ''}`;
      const group = groups.get(key) ?? { dimensions, values: new Map<MetricName, number[]>() };
      groups.set(key, group);
      const values = group.values.get(name);
      if (values === undefined) group.values.set(name, [value]);
      else if (METRICS[name] === 'Count') values[0] = (values[0] ?? 0) + value;
      else if (values.length < MOST_VALUES - 1) values.push(value);
    },
    flush() {
      for (const { dimensions, values } of groups.values()) {
        if (Object.keys(dimensions).length > 0) emf.addDimensions({ ...dimensions });
        for (const [name, all] of values) for (const value of all) emf.addMetric(name, METRICS[name], value);
        emf.publishStoredMetrics();
      }
      groups.clear();
    },
  };
}

import { captureMeasurement, captureTask } from './capture.ts';
import type { Task } from './child-task.ts';
import { commitMeasurement, commitTask } from './commit.ts';
import { costMeasurement } from './cost.ts';
import { demoMeasurement } from './demo.ts';
import type { Measurement } from './figure.ts';
import { freshnessMeasurement, mirrorTask } from './freshness.ts';
import { paceTask } from './freshness-writer.ts';
import { normaliseMeasurement, normaliseTask } from './normalise.ts';
import { replayMeasurement, replayTask } from './replay.ts';
import { parseTask, recordsTask } from './replay-input.ts';

/** In the order of the table. */
export const MEASUREMENTS: readonly Measurement[] = [
  normaliseMeasurement,
  replayMeasurement,
  commitMeasurement,
  freshnessMeasurement,
  demoMeasurement,
  captureMeasurement,
  costMeasurement,
];

/** What child processes can be asked to do. */
export const TASKS: readonly Task<never, unknown>[] = [
  normaliseTask,
  recordsTask,
  parseTask,
  replayTask,
  commitTask,
  mirrorTask,
  paceTask,
  captureTask,
];

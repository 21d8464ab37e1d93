import { normaliseRecord } from '../core/dynamodb/normalise.ts';
import type { NormaliseContext } from '../core/dynamodb/normalise.ts';
import { envelopeLine } from '../core/envelope.ts';
import { countText } from '../cli/format.ts';
import { GlasshouseError } from '../core/errors.ts';
import { NESTED } from '../core/json-text.ts';
import { parseStreamRecord } from '../core/dynamodb/stream-record.ts';
import { epochOf } from '../core/version.ts';
import type { Task } from './child-task.ts';
import { runInChild } from './child-task.ts';
import type { Measurement } from './figure.ts';
import { figureOf } from './figure.ts';
import { collectGarbage } from './garbage.ts';
import { CAPTURED_AT_MICROS, benchContext, schemaOfRecords } from './record-schema.ts';
import { generateChanges } from './records.ts';
import { type LambdaRecord, unmarshallLine } from './unmarshall-line.ts';

interface NormaliseRounds {
  readonly records: number;
  readonly rounds: number;
}

/** Records a second of each round, ours and the floor's. */
interface NormaliseRates {
  readonly ours: readonly number[];
  readonly floor: readonly number[];
}

const WARM_UP_ROUNDS = 5;
/** As many records of this size as Lambda hands over at once: 6 MB. */
const LAMBDA_BATCH = 5000;
const MOST_LINE_BYTES = 1 << 20;

/** An envelope's line from a parsed record, as capture makes it. */
export function glasshouseLine(record: unknown, context: NormaliseContext): string {
  const { change } = normaliseRecord(record, context);
  return envelopeLine(change, NESTED);
}

export const normaliseTask: Task<NormaliseRounds, NormaliseRates> = {
  name: 'normalise',
  run({ records: count, rounds }) {
    const records = [...generateChanges({ changes: count, keys: Math.ceil(count / 5), seed: 1 })] as LambdaRecord[];
    const context = benchContext(schemaOfRecords(records), NESTED);
    const epoch = epochOf(parseStreamRecord(records[0], null).version);
    const ours = (record: LambdaRecord) => glasshouseLine(record, context);
    const floor = (record: LambdaRecord) => unmarshallLine(record, epoch, CAPTURED_AT_MICROS);
    checkSame(records, ours, floor);
    const rates = { ours: [] as number[], floor: [] as number[] };
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      const floorRate = rateOf(records, floor);
      const oursRate = rateOf(records, ours);
      if (round < 0) continue;
      rates.floor.push(floorRate);
      rates.ours.push(oursRate);
    }
    return Promise.resolve(rates);
  },
};

const bytes = Buffer.alloc(MOST_LINE_BYTES);

/** Records a second. Every line is written out as bytes: a string that nobody reads is not whole yet. */
function rateOf(records: readonly LambdaRecord[], lineOf: (record: LambdaRecord) => string): number {
  collectGarbage();
  const startedAtMs = performance.now();
  let written = 0;
  for (const record of records) written += bytes.write(lineOf(record), 0, 'utf8');
  const seconds = (performance.now() - startedAtMs) / 1000;
  if (written === 0) throw new GlasshouseError('bug', 'No line was written.');
  return records.length / seconds;
}

type LineOf = (record: LambdaRecord) => string;

/** The two must do the same work, or their ratio says nothing. */
function checkSame(records: readonly LambdaRecord[], ours: LineOf, floor: LineOf): void {
  for (const record of records.slice(0, 500)) {
    const fields = Object.entries(JSON.parse(ours(record)) as Record<string, unknown>);
    const floorFields = JSON.parse(floor(record)) as Record<string, unknown>;
    for (const [name, value] of fields) {
      const same = name === '_row' ? sameRow(value, floorFields[name]) : value === floorFields[name];
      // Which version of a schema a row was normalised to is nothing that the floor knows.
      if (!same && name !== '_schema')
        throw new GlasshouseError(
          'bug',
          `${name} is ${String(value)}, and by unmarshall ${String(floorFields[name])}.`,
        );
    }
  }
}

function sameRow(ours: unknown, floor: unknown): boolean {
  if (typeof ours !== 'string' || typeof floor !== 'string') return ours === floor;
  return comparable(JSON.parse(ours)) === comparable(JSON.parse(floor));
}

/** JSON with sorted names, without what is null; numbers and texts that look like them as the same text, since a row may write either. */
function comparable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(comparable).join()}]`;
  if (typeof value === 'object' && value !== null) {
    const there = Object.entries(value).filter(([, member]) => member !== null);
    const members = there.map(([name, member]) => `${name}:${comparable(member)}`);
    return `{${members.sort().join()}}`;
  }
  const text = String(value);
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
}

export const normaliseMeasurement: Measurement = {
  name: 'normalise',
  async measure(size, report) {
    const params = size === 'full' ? { records: LAMBDA_BATCH, rounds: 15 } : { records: 1000, rounds: 3 };
    report(`${params.rounds} rounds over ${countText(params.records)} records`);
    const { result } = await runInChild(normaliseTask, params);
    return [
      figureOf(
        {
          name: 'normalise',
          what: 'normalise, key hash and envelope line, one core',
          unit: 'changes/s',
          goal: { of: 'ratio', is: 'at least', value: 2 },
        },
        { measured: result.ours, floor: { what: 'unmarshall and JSON.stringify', measured: result.floor } },
      ),
    ];
  },
};

import { describe, expect, it } from 'vitest';
import { mergeDefinition } from '../../lib/merge-definition.ts';

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly End?: boolean;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly ResultPath: string;
    readonly Next: string;
  }[];
  readonly TimeoutSeconds?: number;
  readonly Parameters?: Readonly<Record<string, unknown>>;
}
interface Machine {
  readonly StartAt: string;
  readonly TimeoutSeconds: number;
  readonly States: Readonly<Record<string, State>>;
}

const machine = mergeDefinition({ functionArn: 'arn:merge', workgroup: 'wg', database: 'db' }) as unknown as Machine;
const states = Object.entries(machine.States);

/** Where a state can go, failures left out. */
function after(state: State | undefined): string[] {
  return [state?.Next, state?.Default, ...(state?.Choices ?? []).map((choice) => choice.Next)].filter(
    (next) => next !== undefined,
  );
}

describe('the state machine of a merge', () => {
  it('goes from begin over the statements to finish', () => {
    expect(machine.StartAt).toBe('Begin');
    expect(after(machine.States.Begin)).toEqual(['Is something new?']);
    expect(after(machine.States['Is something new?'])).toEqual(['Nothing new', 'Merge']);
    expect(after(machine.States.Merge)).toEqual(['Finish']);
    expect(machine.States.Finish).toMatchObject({ End: true });
  });

  it('names only states that are there, and each of them can be reached', () => {
    const named = states.flatMap(([, state]) => [...after(state), ...(state.Catch ?? []).map((one) => one.Next)]);
    expect(new Set([...named, machine.StartAt])).toEqual(new Set(Object.keys(machine.States)));
  });

  it('goes to fail after any failure, and ends as failed', () => {
    for (const name of ['Begin', 'Merge', 'Finish']) {
      expect(machine.States[name]?.Catch).toEqual([
        { ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Fail' },
      ]);
    }
    expect(after(machine.States.Fail)).toEqual(['Failed']);
    expect(machine.States.Fail?.Catch?.map((one) => one.Next)).toEqual(['Failed']);
    expect(machine.States.Failed).toMatchObject({ Type: 'Fail' });
  });

  it('runs one statement after the other, in the workgroup, and never waits for ever', () => {
    expect(machine.States.Merge).toMatchObject({
      Type: 'Map',
      MaxConcurrency: 1,
      ResultPath: null,
      ItemProcessor: {
        StartAt: 'Run statement',
        States: {
          'Run statement': {
            Resource: 'arn:aws:states:::athena:startQueryExecution.sync',
            Parameters: { 'QueryString.$': '$', WorkGroup: 'wg', QueryExecutionContext: { Database: 'db' } },
            TimeoutSeconds: 2100,
            End: true,
          },
        },
      },
    });
    expect(machine.TimeoutSeconds).toBe(14_400);
    for (const name of ['Begin', 'Finish', 'Fail']) expect(machine.States[name]?.TimeoutSeconds).toBe(900);
  });

  it('gives the function what the contract says', () => {
    const payloads = ['Begin', 'Finish', 'Fail'].map((name) => machine.States[name]?.Parameters?.Payload);
    expect(payloads).toEqual([
      { step: 'begin', 'table.$': '$.table', 'execution.$': '$$.Execution.Id' },
      { step: 'finish', 'table.$': '$.table', 'execution.$': '$$.Execution.Id', 'plan.$': '$.begun.plan' },
      {
        step: 'fail',
        'table.$': '$.table',
        'execution.$': '$$.Execution.Id',
        'error.$': 'States.JsonToString($.failure)',
      },
    ]);
  });
});

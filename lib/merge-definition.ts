/** What the state machine that merges one table calls and uses. */
export interface MergeParts {
  /** ARN of the merge function. */
  readonly functionArn: string;
  readonly workgroup: string;
  readonly database: string;
}

type State = Readonly<Record<string, unknown>>;

/** Athena gives up on a statement after 30 minutes. */
const STATEMENT_SECONDS = 35 * 60;
/** Calls of the merge function; it needs seconds. */
const CALL_SECONDS = 15 * 60;
/** Longer than any merge; shorter than Step Functions' own year. */
export const MERGE_SECONDS = 4 * 60 * 60;

/**
 * The state machine of one table's merge, in Amazon States Language: begin, the statements one after the other, finish;
 * after any failure, fail. Its input is `{ "table": "orders" }`. While Athena works, nothing is paid for waiting.
 *
 * A statement may be run again: the merge is guarded by version, so a repetition changes nothing.
 */
export function mergeDefinition(parts: MergeParts): State {
  return {
    Comment: 'Merges what is new in one changelog into its state table',
    StartAt: 'Begin',
    TimeoutSeconds: MERGE_SECONDS,
    States: {
      Begin: {
        ...call(parts, { step: 'begin', 'table.$': '$.table', 'execution.$': '$$.Execution.Id' }),
        ResultSelector: { 'statements.$': '$.Payload.statements', 'plan.$': '$.Payload.plan' },
        ResultPath: '$.begun',
        Catch: CATCH,
        Next: 'Is something new?',
      },
      'Is something new?': {
        Type: 'Choice',
        Choices: [{ Variable: '$.begun.statements[0]', IsPresent: true, Next: 'Merge' }],
        Default: 'Nothing new',
      },
      'Nothing new': { Type: 'Succeed' },
      Merge: {
        Type: 'Map',
        ItemsPath: '$.begun.statements',
        MaxConcurrency: 1,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Run statement',
          States: { 'Run statement': runStatement(parts) },
        },
        // What Athena says of each statement is not needed, and could pass the limit of a state's output.
        ResultPath: null,
        Catch: CATCH,
        Next: 'Finish',
      },
      Finish: {
        ...call(parts, {
          step: 'finish',
          'table.$': '$.table',
          'execution.$': '$$.Execution.Id',
          'plan.$': '$.begun.plan',
        }),
        ResultPath: null,
        Catch: CATCH,
        End: true,
      },
      Fail: {
        ...call(parts, {
          step: 'fail',
          'table.$': '$.table',
          'execution.$': '$$.Execution.Id',
          'error.$': FAILURE_TEXT,
        }),
        ResultPath: null,
        // The lease ends by itself, too.
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failed', Next: 'Failed' }],
        Next: 'Failed',
      },
      Failed: { Type: 'Fail', Error: 'MergeFailed', CausePath: FAILURE_TEXT },
    },
  };
}

/** As a whole: after a time-out, for one, there is no cause in it. */
const FAILURE_TEXT = 'States.JsonToString($.failure)';
const CATCH = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Fail' }];

function call(parts: MergeParts, payload: State): State {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: parts.functionArn, Payload: payload },
    TimeoutSeconds: CALL_SECONDS,
    Retry: [
      {
        ErrorEquals: [
          'Lambda.ServiceException',
          'Lambda.AWSLambdaException',
          'Lambda.SdkClientException',
          'Lambda.TooManyRequestsException',
        ],
        IntervalSeconds: 2,
        MaxAttempts: 5,
        BackoffRate: 2,
        JitterStrategy: 'FULL',
      },
    ],
  };
}

function runStatement(parts: MergeParts): State {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::athena:startQueryExecution.sync',
    Parameters: {
      'QueryString.$': '$',
      WorkGroup: parts.workgroup,
      QueryExecutionContext: { Database: parts.database, Catalog: 'AwsDataCatalog' },
    },
    TimeoutSeconds: STATEMENT_SECONDS,
    ResultSelector: { 'id.$': '$.QueryExecution.QueryExecutionId' },
    Retry: [
      // A commit that lost against Firehose or an optimizer, or a queue that was full.
      {
        ErrorEquals: ['States.TaskFailed'],
        IntervalSeconds: 5,
        MaxAttempts: 2,
        BackoffRate: 3,
        JitterStrategy: 'FULL',
      },
    ],
    End: true,
  };
}

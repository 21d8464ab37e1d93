import { resolve } from 'node:path';
import { type CommandDefinition, wholeNumber } from '../command.ts';
import type { Session, SharedOptions } from '../session.ts';

interface DynamoDbOptions extends SharedOptions {
  readonly port: number;
  readonly path?: string;
}

export const dynamodbCommand: CommandDefinition<DynamoDbOptions> = {
  usage: 'dynamodb',
  summary: 'Run only the embedded DynamoDB with Streams, until a signal',
  details:
    'Any SDK and the AWS CLI can use it, with any credentials. It listens on this machine only. Without --path its data is in memory, and gone at the end.',
  examples: [
    ['glasshouse dynamodb', 'in memory, on port 8000'],
    ['glasshouse dynamodb --port 8001 --path tables', 'kept in the folder tables/'],
    ['aws --endpoint-url http://127.0.0.1:8000 dynamodb list-tables', 'how the AWS CLI asks it'],
  ],
  configure(command) {
    command
      .option('--port <port>', 'the port on 127.0.0.1; 0 takes any that is free', wholeNumber(0, 65_535), 8000)
      .option('--path <folder>', 'where it keeps its tables (default: in memory)');
  },
  async execute(session, options) {
    const path = options.path === undefined ? undefined : resolve(session.host.cwd, options.path);
    const server = await session.operations.startDynamoDb({ port: options.port, path });
    try {
      if (session.json) session.printJson({ endpoint: server.endpoint, port: server.port, path: path ?? null });
      else {
        session.print(
          `DynamoDB with Streams at ${session.paint('bold', server.endpoint)} (${path ?? 'in memory'}); Ctrl-C ends it.`,
        );
        session.print(`  aws --endpoint-url ${server.endpoint} dynamodb list-tables`);
      }
      await stopped(session);
    } finally {
      await server.close();
    }
    return 0;
  },
};

function stopped(session: Session): Promise<void> {
  const { signal } = session.common;
  return new Promise((resolvePromise) => {
    if (signal.aborted) resolvePromise();
    else signal.addEventListener('abort', () => resolvePromise(), { once: true });
  });
}

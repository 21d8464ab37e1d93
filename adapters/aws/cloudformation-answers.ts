import { GlasshouseError, messageOf } from '../../core/errors.ts';
import type { ResourceAnswers } from '../../flows/register-answer.ts';
import { backoffMs } from './backoff.ts';
import type { Timing } from './timing.ts';
import { systemTiming } from './timing.ts';

const MOST_TRIES = 5;
const ONE_TRY_MS = 1_500;

export interface AnswerAccess {
  readonly fetch?: typeof fetch;
  readonly timing?: Timing;
}

/**
 * Answers by a PUT to the signed URL that CloudFormation waits at. Throws a GlasshouseError `unavailable` where none of
 * five tries gets through; the URL is a secret and stands in no message.
 */
export function cloudFormationAnswers(access: AnswerAccess = {}): ResourceAnswers {
  const { fetch: put = fetch, timing = systemTiming } = access;
  return {
    async send(url, answer) {
      for (let attempt = 1; ; attempt++) {
        try {
          // As bytes, so that no content type is sent along: the URL is signed for none.
          const response = await put(url, {
            method: 'PUT',
            body: Buffer.from(JSON.stringify(answer)),
            signal: AbortSignal.timeout(ONE_TRY_MS),
          });
          if (response.ok) return;
          throw new GlasshouseError('unavailable', `S3 answered ${response.status} to it`);
        } catch (thrown) {
          if (attempt === MOST_TRIES) throw unanswered(thrown);
        }
        await timing.wait(backoffMs(attempt, timing.chance()), new AbortController().signal);
      }
    },
  };
}

function unanswered(thrown: unknown): GlasshouseError {
  return new GlasshouseError(
    'unavailable',
    `CloudFormation could not be answered in ${MOST_TRIES} tries: ${messageOf(thrown)}. It goes on waiting: where the function is in a VPC, ` +
      'let it reach S3; then cancel the deployment and start it again.',
    { cause: thrown },
  );
}

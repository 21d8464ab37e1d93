import { type z } from 'zod';
import { validationError } from './service-error.ts';

/** Checks a request of an operation that is ours; a fault becomes a validation error that names the member. */
export function parseRequest<T>(schema: z.ZodType<T>, request: unknown): T {
  const result = schema.safeParse(request);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `'${issue.path.join('.')}': ${issue.message}`);
  throw validationError(
    `${faults.length} validation error${faults.length > 1 ? 's' : ''} detected: Value at ${faults.join('; ')}`,
  );
}

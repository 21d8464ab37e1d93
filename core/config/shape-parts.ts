import { z } from 'zod';
import { nearest } from './nearest.ts';

/** A value that is right or wrong as a whole. The message says what is wrong with it and what to write instead. */
export function value<T>(isRight: (input: unknown) => boolean, message: string): z.ZodType<T, T> {
  return z.custom<T>(isRight, { error: message, abort: false });
}

/** An object with these properties and no others; a misspelt one is told its nearest neighbour. */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape, example: string) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? unknownKeys(issue.keys, known) : `is no object; write ${example}`,
  });
}

/** One line for each unknown property: the mistakes are told apart by their paths. */
function unknownKeys(keys: readonly string[], known: readonly string[]): string {
  return keys
    .map((key) => {
      const guess = nearest(key, known);
      return `is not a property that exists here; ${guess ? `did you mean ${JSON.stringify(guess)}? The` : 'the'} properties are ${known.join(', ')}`;
    })
    .join('\n');
}

export function record<T>(keys: z.ZodType<string, string>, values: z.ZodType<T>, example: string) {
  return z.record(keys, values, {
    error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : `is no object; write ${example}`),
  });
}

/** Refinements run also where something else is wrong already, so that all mistakes are named at once. */
export const when = (payload: { readonly value: unknown }) =>
  typeof payload.value === 'object' && payload.value !== null;

export const isWhole = (input: unknown, least: number, most: number) =>
  Number.isInteger(input) && (input as number) >= least && (input as number) <= most;

export const isText = (input: unknown) => typeof input === 'string' && input !== '';

import type { z } from 'zod';
import { httpProblem } from './problems.ts';

/** One fault of a request: where it is, down to the field, and what is wrong with it. */
export interface FieldError {
  in: 'path' | 'query' | 'body';
  field: string;
  message: string;
}

/** Parts of one request to check; a part without a schema is not looked at. */
export type Part = [place: FieldError['in'], schema: z.ZodObject | undefined, value: unknown];

/** At most this many faults are told at once. */
const maxErrors = 20;

/** Checks every part, so that one answer names all faults. Throws request_invalid with `errors`. */
export function validate(parts: readonly Part[]): unknown[] {
  const errors: FieldError[] = [];
  const values = parts.map(([place, schema, value]) => {
    if (!schema) return undefined;
    const result = schema.safeParse(value);
    if (!result.success) errors.push(...result.error.issues.flatMap((issue) => fieldErrors(place, issue)));
    return result.data;
  });
  if (errors.length === 0) return values;
  const first = errors[0]!;
  throw httpProblem('request_invalid', {
    detail: `${first.in}${first.field && ` ${first.field}`}: ${first.message}`,
    extra: { errors: errors.slice(0, maxErrors) },
  });
}

function fieldErrors(place: FieldError['in'], issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      in: place,
      field: fieldName([...issue.path, key]),
      message: 'unknown field',
    }));
  return [{ in: place, field: fieldName(issue.path), message: issue.message }];
}

/** media[0].name; names that the client made up are cut. */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step).slice(0, 100)}`))
    .join('')
    .replace(/^\./, '');
}

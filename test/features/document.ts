import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { type ProblemCode, problems } from '../../schemas/problems.ts';
import type { RouteContract } from '../../schemas/route.ts';
import { allRoutes } from '../../schemas/routes.ts';
import type { SeenAnswer } from '../harness/client.ts';

/** The OpenAPI document as it is served. */
// biome-ignore lint/suspicious/noExplicitAny: looked into here alone
export type Document = any;

/** Problem codes that the document names for a route. */
export function documentedProblems(document: Document, route: RouteContract): ProblemCode[] {
  const answers: Document[] = Object.values(document.paths[route.path][route.method].responses);
  return answers.flatMap((answer) => {
    const schema = answer.content?.['application/problem+json']?.schema;
    return schema ? schema.allOf[1].properties.code.enum : [];
  });
}

/** What an answer is evidence of: a refusal by its code, anything else by its status. */
export function pairOf(route: RouteContract | null, status: number, body: unknown): string {
  return `${route?.name} ${(body as { code?: string })?.code ?? status}`;
}

/** A validator for each body in the document, by `name status type`. */
export function compile(document: Document): Map<string, ValidateFunction> {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ $id: 'api', ...document });
  const validators = new Map<string, ValidateFunction>();
  for (const { name, path, method } of allRoutes) {
    for (const [status, answer] of Object.entries<{ content?: object }>(
      document.paths[path][method].responses,
    )) {
      for (const type of Object.keys(answer.content ?? {})) {
        const steps = ['paths', path, method, 'responses', status, 'content', type, 'schema'];
        const pointer = steps.map((step) =>
          encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')),
        );
        validators.set(`${name} ${status} ${type}`, ajv.compile({ $ref: `api#/${pointer.join('/')}` }));
      }
    }
  }
  return validators;
}

/** What the document has against an answer; null when nothing. */
export function faultOf(
  document: Document,
  answer: SeenAnswer,
  validators: Map<string, ValidateFunction>,
): string | null {
  const { route, status, contentType, body } = answer;
  if (status >= 400) {
    const fault = problemFault(answer);
    if (fault) return `${route?.name} ${status}: ${fault}`;
  }
  if (!route) return null;
  const responses = document.paths[route.path][route.method].responses;
  if (!responses[status]) return `${route.name}: ${pairOf(route, status, body)} is not documented`;
  if (!responses[status].content) return body === '' ? null : `${route.name} ${status}: a body where none is`;
  const type = contentType?.split(';')[0];
  const validate = validators.get(`${route.name} ${status} ${type}`);
  if (!validate) return `${route.name} ${status}: ${type} is not documented`;
  if (validate(body)) return null;
  const [first] = validate.errors!;
  return `${route.name} ${pairOf(route, status, body)}: ${first!.instancePath} ${first!.message} ${JSON.stringify(first!.params)}`;
}

/** What is wrong with a refusal as a problem document; null when nothing. */
export function problemFault({ status, contentType, body }: SeenAnswer): string | null {
  const told = body as Record<string, unknown>;
  const known = problems[told.code as ProblemCode];
  if (contentType?.split(';')[0] !== 'application/problem+json') return `it is ${contentType}`;
  if (!known) return `there is no code ${told.code}`;
  const expected = { type: `/problems/${told.code}`, title: known.title, status: known.status };
  const { type, title, status: said, traceId } = told;
  if (JSON.stringify({ type, title, status: said }) !== JSON.stringify(expected)) return JSON.stringify(body);
  if (said !== status) return `it says ${said}`;
  return /^[0-9a-f]{32}$/.test(String(traceId)) ? null : `its traceId is ${traceId}`;
}

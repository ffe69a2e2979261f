import { z } from 'zod';
import { type ProblemCode, problems } from '../../schemas/problems.ts';
import type { RouteContract } from '../../schemas/route.ts';
import { allRoutes } from '../../schemas/routes.ts';
import {
  Account,
  Author,
  Me,
  Media,
  MediaVariant,
  Post,
  PostMedia,
  PublishedPost,
  User,
  UserSummary,
} from '../../schemas/shapes.ts';

type Json = Record<string, unknown>;

/** Shapes that the document names; others are written out where they are used. */
const named = {
  Author,
  UserSummary,
  User,
  Me,
  Account,
  MediaVariant,
  PostMedia,
  Media,
  Post,
  PublishedPost,
};

/** The text of schemas/generated/openapi.json: OpenAPI 3.1, from the objects that validate requests. */
export function generateOpenapi(): string {
  return `${JSON.stringify(openapiDocument(), null, 2)}\n`;
}

function openapiDocument(): Json {
  const answers = answerSchemas();
  const paths: Record<string, Json> = {};
  for (const route of allRoutes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route, answers) };
  }
  const schemas = Object.fromEntries(Object.keys(named).map((name) => [name, answers[name]]));
  return {
    openapi: '3.1.1',
    info: {
      title: 'emulsion',
      version: '1',
      description:
        'Every write answers with X-Position; sent as X-Min-Position on a later request, the answer reflects it. ' +
        'Errors are problem documents (RFC 9457) with a stable code.',
    },
    servers: [{ url: '/' }],
    tags: [...new Set(allRoutes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { ...schemas, Problem: problemSchema },
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

/** Every answer's schema by its route's name, and the named shapes, which they refer to. */
function answerSchemas(): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, shape] of Object.entries(named)) registry.add(shape, { id });
  for (const { name, success } of allRoutes) {
    if (success.body && !registry.has(success.body)) registry.add(success.body, { id: name });
  }
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { io: 'output', uri });
  const byId = Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, clean(schema as Json)]));
  for (const { name, success } of allRoutes) {
    const id = success.body && registry.get(success.body)?.id;
    if (id) byId[name] = id in named ? { $ref: uri(id) } : byId[id]!;
  }
  return byId;
}

function operation(route: RouteContract, answers: Record<string, Json>): Json {
  const { body } = route;
  return {
    operationId: route.name,
    tags: [route.tag],
    summary: route.summary,
    parameters: parameters(route),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: inputSchema(body) } } },
    }),
    security: security(route),
    responses: responses(route, answers),
  };
}

function security({ auth }: RouteContract): Json[] {
  if (auth === 'none') return [];
  return auth === 'user' ? [{ accessToken: [] }] : [{ accessToken: [] }, {}];
}

function parameters(route: RouteContract): Json[] {
  return [...fields(route.params, 'path'), ...fields(route.query, 'query'), ...headerParameters(route)];
}

function fields(object: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (!object) return [];
  const { properties = {}, required = [] } = inputSchema(object) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description ? { description } : {}),
    schema,
  }));
}

function headerParameters(route: RouteContract): Json[] {
  const headers: Json[] = [];
  const header = (name: string, required: boolean, description: string, schema: Json): void => {
    headers.push({ name, in: 'header', required, description, schema: { type: 'string', ...schema } });
  };
  if (route.idempotencyKey)
    header(
      'Idempotency-Key',
      route.idempotencyKey === 'required',
      'A repeat with the same key, within 24 hours, gives the same answer',
      { pattern: '^[\\x21-\\x7e]{1,200}$' },
    );
  if (takesPosition(route))
    header('X-Min-Position', false, 'The X-Position of an earlier write', { maxLength: 4096 });
  return headers;
}

function takesPosition(route: RouteContract): boolean {
  return route.reads.length > 0 || isWrite(route);
}

function isWrite({ method }: RouteContract): boolean {
  return method !== 'get';
}

function responses(route: RouteContract, answers: Record<string, Json>): Json {
  const { status, description } = route.success;
  const content = answerContent(route, answers[route.name]);
  const headers = answerHeaders(route);
  const all: Record<string, Json> = { [status]: { description, headers, ...(content && { content }) } };
  if (route.method === 'get' && route.service !== 'stream')
    all[304] = { description: 'What the client has is what there is' };
  for (const [code, names] of Map.groupBy(problemsOf(route), (code) => problems[code].status)) {
    all[code] = {
      description: names.map((name) => `${name}: ${problems[name].title}`).join('\n\n'),
      content: { 'application/problem+json': { schema: problemWith(names) } },
    };
  }
  return all;
}

function answerContent({ success }: RouteContract, schema: Json | undefined): Json | undefined {
  const { body, contentType } = success;
  if (contentType === 'text/event-stream') return { [contentType]: { schema: eventSchema(schema!) } };
  if (body) return { 'application/json': { schema } };
  return contentType && { [contentType]: { schema: { type: 'string' } } };
}

/** One event of a stream: OpenAPI has no word for the whole of it before 3.2. */
function eventSchema(data: Json): Json {
  return {
    type: 'object',
    required: ['data'],
    properties: {
      id: { type: 'string', pattern: '^\\d{1,15}$' },
      event: { type: 'string', enum: ['message', 'error'] },
      data: { type: 'string', contentMediaType: 'application/json', contentSchema: data },
    },
  };
}

function answerHeaders(route: RouteContract): Json {
  const header = (description: string): Json => ({ description, schema: { type: 'string' } });
  return {
    'X-Request-Id': header('The trace id'),
    ...(isWrite(route) && { 'X-Position': header('Send it as X-Min-Position to read what this wrote') }),
    ...(route.reads.length > 0 &&
      !isWrite(route) && { 'X-As-Of': header('Everything from before this moment is in the answer') }),
  };
}

/** Its own refusals, and those that every route of its kind has. */
function problemsOf(route: RouteContract): ProblemCode[] {
  const codes = new Set<ProblemCode>(['dependency_unavailable', ...route.problems]);
  const add = (when: unknown, ...more: ProblemCode[]): void => {
    if (when) for (const code of more) codes.add(code);
  };
  // A stream names all that it refuses with by itself.
  const plain = route.service !== 'stream';
  add(plain, 'internal_error', 'headers_too_large');
  add(plain && (route.params || route.query || route.body || route.idempotencyKey), 'request_invalid');
  add(route.query && 'cursor' in route.query.shape, 'cursor_invalid');
  add(route.body, 'body_not_json', 'body_too_large', 'content_type_unsupported');
  add(route.auth === 'user', 'token_missing');
  add(route.auth !== 'none', 'token_invalid', 'token_expired');
  add(takesPosition(route), 'position_invalid');
  add(route.reads.length > 0, 'position_timeout', 'key_parked');
  add(route.idempotencyKey === 'required', 'idempotency_key_missing');
  // Whatever appends takes a key.
  add(route.idempotencyKey, 'idempotency_key_reused', 'outcome_unknown');
  return [...codes];
}

const problemSchema: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', description: '/problems/<code>' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What to do about it' },
    code: { type: 'string', description: 'Stable; decide by it' },
    traceId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['in', 'field', 'message'],
        properties: {
          in: { type: 'string', enum: ['path', 'query', 'body'] },
          field: { type: 'string' },
          message: { type: 'string' },
        },
      },
    },
  },
};

function problemWith(codes: readonly ProblemCode[]): Json {
  return { allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }] };
}

function inputSchema(schema: z.ZodObject): Json {
  return clean(z.toJSONSchema(schema, { io: 'input', override: keepDefault }) as Json);
}

/** zod leaves out the default of what it reads from text, such as a page's limit. */
function keepDefault({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: Json }): void {
  const { def } = zodSchema._zod;
  if (def.type === 'default') jsonSchema.default = def.defaultValue;
}

/** OpenAPI says once which dialect it is. */
function clean({ $schema: _, $id: __, ...schema }: Json): Json {
  return schema;
}

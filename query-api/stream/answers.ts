import type { HttpResponse } from 'uWebSockets.js';
import { streamEnds } from '../../schemas/notify/frame.ts';
import { problems } from '../../schemas/problems.ts';
import type { Edge } from './edge.ts';

type Headers = Record<string, string>;

/** What is refused before it is a stream. */
const { route_not_found, method_not_allowed, upgrade_required } = problems;
const refusals = { ...streamEnds, route_not_found, method_not_allowed, upgrade_required };

export type StreamRefusal = keyof typeof refusals;

/** A JSON answer. Call it at most once, and never after an abort. */
export function answerJson(res: HttpResponse, status: string, body: object, headers: Headers = {}): void {
  const all = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers };
  res.cork(() => {
    writeHead(res, status, all);
    res.end(JSON.stringify(body));
  });
}

/** The beginning of an answer; the engine sends it with what follows. */
export function writeHead(res: HttpResponse, status: string, headers: Headers): void {
  res.writeStatus(status);
  for (const [name, value] of Object.entries(headers)) res.writeHeader(name, value);
}

/** A refusal as an RFC 9457 problem document. */
export function answerProblem(
  res: HttpResponse,
  { traceId, headers }: Edge,
  code: StreamRefusal,
  detail?: string,
  more: Headers = {},
): void {
  const { status, title } = refusals[code];
  const all: Headers = { ...headers, 'Content-Type': 'application/problem+json', ...more };
  if (status === 401) all['WWW-Authenticate'] = 'Bearer';
  if (status === 503) all['Retry-After'] = '1';
  const document = { type: `/problems/${code}`, title, status, detail, code, traceId };
  answerJson(res, `${status} ${title}`, document, all);
}

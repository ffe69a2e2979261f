import type { HttpResponse } from 'uWebSockets.js';
import { type StreamEnd, streamEnds } from '../../schemas/notify/frame.ts';

type Headers = Record<string, string>;

/** A JSON answer. Call it at most once, and never after an abort. */
export function answerJson(res: HttpResponse, status: string, body: object, headers: Headers = {}): void {
  const all = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers };
  res.cork(() => {
    res.writeStatus(status);
    for (const [name, value] of Object.entries(all)) res.writeHeader(name, value);
    res.end(JSON.stringify(body));
  });
}

/** A refusal as an RFC 9457 problem document. */
export function answerProblem(res: HttpResponse, code: StreamEnd, detail: string): void {
  const { status, title } = streamEnds[code];
  const headers: Headers = { 'Content-Type': 'application/problem+json' };
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  if (status === 503) headers['Retry-After'] = '1';
  answerJson(res, `${status} ${title}`, { type: `/problems/${code}`, title, status, detail, code }, headers);
}

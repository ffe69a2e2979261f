import type { HttpResponse } from 'uWebSockets.js';
import { type StreamEnd, streamEnds } from '../../schemas/notify/frame.ts';

/** A JSON answer. Call it at most once, and never after an abort. */
export function answerJson(res: HttpResponse, status: string, body: object, type = 'application/json'): void {
  res.cork(() => {
    res.writeStatus(status).writeHeader('Content-Type', type).writeHeader('Cache-Control', 'no-store');
    res.end(JSON.stringify(body));
  });
}

/** A refusal as an RFC 9457 problem document. */
export function answerProblem(res: HttpResponse, code: StreamEnd, detail: string): void {
  const { status, title } = streamEnds[code];
  const body = { type: `/problems/${code}`, title, status, detail, code };
  answerJson(res, `${status} ${title}`, body, 'application/problem+json');
}

import type { IncomingMessage } from 'node:http';
import { httpProblem } from './problems.ts';

/** Bytes; room for every text of a profile with each character written as an escape. */
export const defaultBodyLimit = 32 * 1024;

/**
 * The JSON body of a request, counted while it is read so that no more than `limit` bytes are ever held. Throws
 * content_type_unsupported, body_too_large, body_not_json. An empty body is undefined.
 */
export async function readJson(request: IncomingMessage, limit = defaultBodyLimit): Promise<unknown> {
  const announced = Number(request.headers['content-length'] ?? 0);
  const bytes = announced > limit ? refuse(request, limit) : await collect(request, limit);
  if (bytes.length === 0) return undefined;
  requireJson(request);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw httpProblem('body_not_json', { cause: error });
  }
}

function requireJson(request: IncomingMessage): void {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (type === 'application/json' && encoding === 'identity') return;
  throw httpProblem('content_type_unsupported', {
    detail: 'Send application/json in UTF-8 without a content encoding.',
  });
}

function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const take = (part: Buffer): void => {
      length += part.length;
      if (length <= limit) return void parts.push(part);
      request.off('data', take);
      try {
        refuse(request, limit);
      } catch (error) {
        reject(error);
      }
    };
    request.on('data', take);
    request.once('end', () => resolve(Buffer.concat(parts)));
    request.once('error', reject);
    request.once('aborted', () => reject(new ClientGone()));
  });
}

/** What still comes is let through unread, so that the client gets to read the answer. */
function refuse(request: IncomingMessage, limit: number): never {
  request.resume();
  throw httpProblem('body_too_large', { detail: `At most ${limit} bytes.` });
}

/** The client hung up before its request was whole: nobody is left to answer. */
export class ClientGone extends Error {
  override name = 'ClientGone';
}

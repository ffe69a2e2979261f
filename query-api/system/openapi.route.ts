import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BoundRoute } from '../../platform/http/bind.ts';
import { readDocs, readOpenapi } from '../../schemas/system.http.ts';
import type { Room } from '../room.ts';
import { docsPage, docsStyle, type OpenapiDocument } from './docs.present.ts';

const file = new URL('../../schemas/generated/openapi.json', import.meta.url);

/** The generated document, and a page of it; both read and made once, at the start. */
export function openapiRoutes({ handle }: Room): BoundRoute[] {
  const document = JSON.parse(readFileSync(file, 'utf8')) as OpenapiDocument;
  const page = docsPage(document);
  const style = createHash('sha256').update(docsStyle).digest('base64');
  const headers = {
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${style}'; frame-ancestors 'none'`,
  };
  return [
    handle(readOpenapi, async () => ({ body: document })),
    handle(readDocs, async () => ({ body: page, headers })),
  ];
}

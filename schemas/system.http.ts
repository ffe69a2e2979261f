import { z } from 'zod';
import { route } from './route.ts';

export const readOpenapi = route({
  name: 'readOpenapi',
  method: 'get',
  path: '/api/openapi.json',
  service: 'query',
  tag: 'system',
  summary: 'This document',
  auth: 'none',
  reads: [],
  success: { status: 200, body: z.record(z.string(), z.unknown()), description: 'OpenAPI 3.1' },
  problems: [],
});

export const readDocs = route({
  name: 'readDocs',
  method: 'get',
  path: '/api/docs',
  service: 'query',
  tag: 'system',
  summary: 'This document as a page to browse',
  auth: 'none',
  reads: [],
  success: { status: 200, contentType: 'text/html', description: 'A page without outside parts' },
  problems: [],
});

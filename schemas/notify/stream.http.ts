import { z } from 'zod';
import { route } from '../route.ts';
import { controlFrame, frame } from './frame.ts';

export const openStream = route({
  name: 'openStream',
  method: 'get',
  path: '/api/stream',
  service: 'stream',
  tag: 'notify',
  summary: 'My live stream as Server-Sent Events; each id is a cursor to go on from',
  auth: 'user',
  reads: [],
  query: z.strictObject({
    cursor: z
      .string()
      .regex(/^\d{1,15}$/)
      .optional()
      .describe('The last id seen; Last-Event-ID does the same. It and what came after it follow.'),
    types: z
      .string()
      .max(500)
      .optional()
      .describe('Frame types, separated by commas; all of them without it'),
    token: z.string().max(4096).optional().describe('The access token, for clients that cannot set headers'),
  }),
  success: {
    status: 200,
    contentType: 'text/event-stream',
    body: z.union([frame, controlFrame]),
    description: 'Events; data is a frame as JSON, id the cursor to go on from',
  },
  problems: [
    'request_invalid',
    'cursor_invalid',
    'unknown_filter',
    'cursor_too_old',
    'too_many_streams',
    'server_full',
    'server_restarting',
  ],
});

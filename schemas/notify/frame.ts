import { z } from 'zod';

/** What a frame of each type carries: ids only, so that frames may stand in Postgres and Redis in clear. */
const dataOf = {
  'post.published': z.object({ postId: z.uuid(), authorId: z.uuid() }),
  'post.liked': z.object({ postId: z.uuid(), likerId: z.uuid() }),
  'user.followed': z.object({ followerId: z.uuid() }),
  'follow.requested': z.object({ followerId: z.uuid() }),
  'follow.approved': z.object({ followeeId: z.uuid() }),
  'media.ready': z.object({ mediaId: z.uuid() }),
  'media.rejected': z.object({ mediaId: z.uuid(), code: z.string() }),
} as const;

export type FrameType = keyof typeof dataOf;

export const frameTypes = Object.keys(dataOf) as FrameType[];

export function isFrameType(text: string): text is FrameType {
  return Object.hasOwn(dataOf, text);
}

/** Numbered per user from 1 without a hole; the cursor of a stream (DESIGN §8). */
const seq = z.int().positive();

function frameOf<const T extends FrameType>(type: T) {
  return z.object({
    seq,
    type: z.literal(type),
    /** Event time of the fact behind it. */
    time: z.iso.datetime(),
    /** The trace id of the request at the root. */
    traceId: z.string(),
    data: dataOf[type],
  });
}

/**
 * One frame of a user's live stream, as the streaming reactor stores and publishes it and as clients get it.
 * stream.entry.payload holds all but `seq`.
 */
export const frame = z.discriminatedUnion('type', [
  frameOf('post.published'),
  frameOf('post.liked'),
  frameOf('user.followed'),
  frameOf('follow.requested'),
  frameOf('follow.approved'),
  frameOf('media.ready'),
  frameOf('media.rejected'),
]);

export type Frame = z.infer<typeof frame>;
export type FrameOf<T extends FrameType> = Extract<Frame, { type: T }>;
/** Whatever the frame is, without its number. */
export type FramePayload = { [T in FrameType]: Omit<FrameOf<T>, 'seq'> }[FrameType];

/** The Redis stream of a user's recent frames (entry id `<seq>-0`, field `e`), and the channel of the same name. */
export function streamKey(prefix: string, userId: string): string {
  return `${prefix}st:${userId}`;
}

/** Why a stream ends: the WebSocket close code, and the HTTP status when an SSE request is refused outright. */
export const streamEnds = {
  message_invalid: { close: 4400, status: 400, title: 'The message is not one that a stream takes' },
  request_invalid: {
    close: 4400,
    status: 400,
    title: 'The request does not have the documented shape',
  },
  cursor_invalid: { close: 4400, status: 400, title: 'The cursor is not one of ours' },
  unknown_filter: { close: 4400, status: 400, title: 'There is no such frame type' },
  token_missing: { close: 4401, status: 401, title: 'An access token is needed' },
  token_invalid: { close: 4401, status: 401, title: 'The access token is not valid' },
  token_expired: { close: 4401, status: 401, title: 'The access token has expired' },
  consumer_too_slow: { close: 4008, status: 503, title: 'The reader does not keep up' },
  cursor_too_old: { close: 4410, status: 410, title: 'The frames after this cursor are no longer kept' },
  too_many_messages: { close: 4429, status: 429, title: 'Too many messages were sent' },
  too_many_streams: { close: 4429, status: 429, title: 'This account has too many streams open' },
  server_full: { close: 1013, status: 503, title: 'This node takes no more streams' },
  server_restarting: { close: 1012, status: 503, title: 'This node is restarting; connect again' },
  dependency_unavailable: { close: 1013, status: 503, title: 'A part this needs does not answer; try again' },
} as const;

export type StreamEnd = keyof typeof streamEnds;

/**
 * Frames about the stream itself. They carry no fact and are not stored.
 * - hello: the first one. `seq` is where this stream starts, `head` the newest frame there is.
 * - cursor: every frame up to `seq` was sent, or left out by the filter or because it may no longer be seen.
 * - authenticated: a new token was taken; the stream goes on until `expiresAt`.
 * - error: the last one; the stream is closed after it. `traceId` is that of the request that opened the stream.
 */
export const controlFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), seq: z.int().min(0), head: z.int().min(0) }),
  z.object({ type: z.literal('cursor'), seq: z.int().min(0) }),
  z.object({ type: z.literal('authenticated'), expiresAt: z.iso.datetime() }),
  z.object({ type: z.literal('pong') }),
  z.object({
    type: z.literal('error'),
    code: z.enum(Object.keys(streamEnds) as StreamEnd[]),
    detail: z.string(),
    traceId: z.string(),
  }),
]);

export type ControlFrame = z.infer<typeof controlFrame>;

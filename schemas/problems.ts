/**
 * Every refusal a client can meet: the stable code, its HTTP status and title. An answer is an RFC 9457 problem
 * document whose `type` is `/problems/<code>`; `detail` says what to do.
 */
export const problems = {
  request_invalid: { status: 400, title: 'The request does not have the documented shape' },
  body_not_json: { status: 400, title: 'The body is not valid JSON' },
  cursor_invalid: { status: 400, title: 'The cursor is not one of ours' },
  unknown_filter: { status: 400, title: 'There is no such frame type' },
  position_invalid: { status: 400, title: 'The position token is not one of ours' },
  idempotency_key_missing: { status: 400, title: 'This request needs an Idempotency-Key' },
  token_missing: { status: 401, title: 'An access token is needed' },
  token_invalid: { status: 401, title: 'The access token is not valid' },
  token_expired: { status: 401, title: 'The access token has expired' },
  credentials_wrong: { status: 401, title: 'Name or password is wrong' },
  refresh_token_invalid: { status: 401, title: 'The refresh token is not valid' },
  not_allowed: { status: 403, title: 'You may not do this' },
  route_not_found: { status: 404, title: 'There is nothing at this address' },
  user_not_found: { status: 404, title: 'There is no such user' },
  post_not_found: { status: 404, title: 'There is no such post' },
  follow_request_not_found: { status: 404, title: 'There is no such follow request' },
  media_not_found: { status: 404, title: 'There is no such media' },
  method_not_allowed: { status: 405, title: 'This address does not take that method' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  username_taken: { status: 409, title: 'The username is taken' },
  email_taken: { status: 409, title: 'The email address is taken' },
  media_not_uploaded: { status: 409, title: 'The object has not been uploaded' },
  media_rejected: { status: 409, title: 'The media was rejected' },
  cursor_too_old: { status: 410, title: 'The frames after this cursor are no longer kept' },
  body_too_large: { status: 413, title: 'The body is over the limit of this route' },
  event_too_large: { status: 413, title: 'The event would be over the limit of the log' },
  content_type_unsupported: { status: 415, title: 'The body must be application/json' },
  upgrade_required: { status: 426, title: 'This address takes a WebSocket' },
  headers_too_large: { status: 431, title: 'The headers are over the limit' },
  media_type_unsupported: { status: 422, title: 'Media of this type is not taken' },
  media_too_large: { status: 422, title: 'The media is over the size limit' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used with another request' },
  self_follow: { status: 422, title: 'Nobody can follow themselves' },
  self_block: { status: 422, title: 'Nobody can block themselves' },
  too_many_streams: { status: 429, title: 'This account has too many streams open' },
  internal_error: { status: 500, title: 'Something is wrong on our side' },
  outcome_unknown: { status: 503, title: 'The write may or may not have happened; repeat it' },
  position_timeout: { status: 503, title: 'The views have not caught up with your position yet' },
  key_parked: { status: 503, title: 'A record of this key is parked; an operator is needed' },
  uploads_off: { status: 503, title: 'Uploads are switched off' },
  server_full: { status: 503, title: 'This node takes no more streams' },
  server_restarting: { status: 503, title: 'This node is restarting; connect again' },
  dependency_unavailable: { status: 503, title: 'A part this needs does not answer; try again' },
} as const;

export type ProblemCode = keyof typeof problems;

/** What a decider answers instead of an event. */
export interface Refusal {
  refused: ProblemCode;
  detail?: string;
}

export function refuse(code: ProblemCode, detail?: string): Refusal {
  return { refused: code, detail };
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value;
}

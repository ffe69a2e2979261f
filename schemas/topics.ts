/**
 * The topics of the log and their contract. The partition count is part of it: services refuse to start when
 * the broker's differs, because a key must stay in one partition for ever (DESIGN §3).
 */
export const topics = [
  'user-events',
  'follow-events',
  'post-events',
  'like-events',
  'media-events',
  'operator-events',
] as const;

export type Topic = (typeof topics)[number];

import type { ModelName } from './route.ts';
import type { Topic } from './topics.ts';

/**
 * The topics each model consumes: what a reader with a position token waits for (DESIGN §5), and what the projectors'
 * registry must name.
 */
export const modelTopics: Record<ModelName, readonly Topic[]> = {
  accounts: ['user-events'],
  graph: ['follow-events', 'user-events'],
  posts: ['post-events', 'media-events', 'user-events'],
  likes: ['like-events', 'user-events'],
  media: ['media-events', 'user-events'],
  timelines: ['post-events', 'follow-events', 'user-events'],
};

import type { ModelName } from './route.ts';
import type { Topic } from './topics.ts';

/**
 * The topics that each model is made of: what a reader with a position token waits for (DESIGN §5). Every model also
 * consumes user-events, to learn who is erased; nobody waits for that, because whoever has such a position is gone, and
 * a new account would hang on every model.
 */
export const modelTopics: Record<ModelName, readonly Topic[]> = {
  accounts: ['user-events'],
  graph: ['follow-events'],
  posts: ['post-events', 'media-events'],
  likes: ['like-events'],
  media: ['media-events'],
  timelines: ['post-events', 'follow-events'],
};

/** Whether nobody waits for what the consumer of these tables makes of the topic: it only learns who is erased. */
export function isUnhurried(consumer: string, topic: string): boolean {
  const waitedFor = (modelTopics as Partial<Record<string, readonly string[]>>)[consumer] ?? [];
  return topic === 'user-events' && !waitedFor.includes(topic);
}

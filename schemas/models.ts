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

/** Whether this model consumes the topic without anybody waiting for it; of a model that is not here nobody knows. */
export function isUnhurried(model: string, topic: string): boolean {
  const waitedFor: readonly string[] | undefined = (
    modelTopics as Partial<Record<string, readonly string[]>>
  )[model];
  return waitedFor !== undefined && !waitedFor.includes(topic);
}

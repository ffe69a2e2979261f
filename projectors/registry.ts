import { accounts } from './account/user.model.ts';
import { likes } from './content/like.model.ts';
import { posts } from './content/post.model.ts';
import type { Model } from './engine/model.ts';
import { graph } from './graph/follow.model.ts';
import { media } from './media/media.model.ts';
import { rulings } from './operator/dead-letter.model.ts';

/**
 * Every model of Postgres tables. Timelines have a runner of their own (content/timeline.runner.ts). To change what a
 * model makes, give it the next version and leave the former one beside it until nobody is led there any more: it goes
 * on being projected while the new one is built.
 */
export const models: readonly Model[] = [accounts, graph, posts, likes, media, rulings];

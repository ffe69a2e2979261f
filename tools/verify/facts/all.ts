import type { FactSpec } from '../spec.ts';
import { accounts } from './accounts.ts';
import { graph } from './graph.ts';
import { likes } from './likes.ts';
import { media } from './media.ts';
import { posts } from './posts.ts';
import { rulings } from './rulings.ts';
import { stream } from './stream.ts';
import { timelines } from './timelines.ts';

/** Of each model as many as there are definitions that may still be served. */
export const allFacts: readonly FactSpec[] = [
  accounts,
  graph,
  posts,
  likes,
  media,
  timelines,
  rulings,
  stream,
];

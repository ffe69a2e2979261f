import type { FactSpec } from '../spec.ts';
import { accounts } from './accounts.ts';
import { graph } from './graph.ts';
import { likes } from './likes.ts';
import { media } from './media.ts';
import { posts } from './posts.ts';
import { rulings } from './rulings.ts';
import { timelines } from './timelines.ts';

export const allFacts: readonly FactSpec[] = [accounts, graph, posts, likes, media, timelines, rulings];

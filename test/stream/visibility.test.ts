import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWorld, type World } from '../harness/world.ts';
import { connect, openStage, pause, range, type Stage } from './stage.ts';

let world: World;
let stage: Stage;

/** The tables of the posts and graph models as their projectors make them, filled by hand. */
async function makeModels(): Promise<void> {
  for (const [model, file] of [
    ['posts', 'content/post.sql'],
    ['graph', 'graph/follow.sql'],
  ]) {
    const sql = readFileSync(path.join(import.meta.dirname, '../../schemas', file!), 'utf8');
    const schema = `${model}_v1`;
    await world.owner.query(
      `CREATE SCHEMA ${schema}; SET search_path = ${schema}; ${sql}; RESET search_path`,
    );
    await world.owner.query(`GRANT USAGE ON SCHEMA ${schema} TO emulsion_query`);
    await world.owner.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO emulsion_query`);
    await world.owner.query(
      'INSERT INTO engine.version (model, version, schema_name, definition) VALUES ($1, 1, $2, 1)',
      [model, schema],
    );
    await world.owner.query('INSERT INTO engine.serving VALUES ($1, 1)', [model]);
  }
}

beforeAll(async () => {
  world = await startWorld({ services: [] });
  await makeModels();
  await world.services.stream.start();
  stage = await openStage(world);
});
afterAll(async () => {
  stage?.close();
  await world?.stop();
});

it.each([true, false])(
  'tells of a deleted post no more when history is sent (in Redis: %s)',
  async (keep) => {
    const user = randomUUID();
    const author = randomUUID();
    const posts = range(1, 6).map(() => randomUUID());
    await stage.append(user, 6, {
      keep,
      type: 'post.published',
      data: (seq) => ({ postId: posts[seq - 1], authorId: author }),
    });
    // The third was deleted, the sixth too; of the fifth the model has not heard yet.
    for (const [i, live] of [true, true, false, true, null, false].entries()) {
      if (live === null) continue;
      await world.owner.query(
        `INSERT INTO posts_v1.post (post_id, author_id, live, visible, event_time, event_id)
       VALUES ($1, $2, $3, $3, now(), gen_random_uuid())`,
        [posts[i], author, live],
      );
    }
    const socket = connect(world.services.stream, { token: stage.token(user), query: { cursor: '0' } });
    await socket.until((message) => message.type === 'cursor' && message.seq === 6);
    expect(socket.seqs()).toEqual([1, 2, 4, 5]);
    await pause(50);
    socket.close();
  },
);

import { savePositions } from '../../platform/postgres/positions.ts';
import { crashPoint } from '../../platform/process/crash-points.ts';
import type { Redis } from '../../platform/redis/redis.ts';
import { streamKey } from '../../schemas/notify/frame.ts';
import { applyRound, settleRows } from '../engine/apply.ts';
import { madeOf } from '../engine/model.ts';
import { type Engine, finishRound, install, type RunningModel, runInstalled } from '../engine/runner.ts';
import { keepFrames, type NumberedFrame, postFrames } from './stream.entries.ts';
import { forgetFrames, ofThoseWhoAre, takeBackFromErased } from './stream.erased.ts';
import { framesOf, streamFacts, touchedFacts } from './stream.model.ts';

/** Events of a round: a post may be told to as many as follow its author. */
const maxRecords = 500;
/** Frames that Redis keeps of a user; older ones come from Postgres. */
const keptInRedis = 1_000;

/**
 * Numbers each user's frames in Postgres, in the transaction that saves the position, then passes them to Redis for
 * the stream nodes. A frame that Redis missed is found by the nodes' own look (DESIGN §8).
 */
export async function runStreamReactor(engine: Engine, redis: Redis): Promise<RunningModel> {
  const installed = await install(engine, streamFacts);
  return runInstalled(
    engine,
    installed,
    async (batches) => {
      const began = performance.now();
      const applied = await applyRound<NumberedFrame[]>(engine, installed, batches, {
        fence: savePositions,
        write: settleRows,
        async inTransaction(client, events) {
          const posts = await postFrames(client, installed.schema, touchedFacts(events));
          const fresh = await ofThoseWhoAre(client, [
            ...events.flatMap((event) => madeOf(event, framesOf)),
            ...posts,
          ]);
          const frames = await takeBackFromErased(client, await keepFrames(client, fresh));
          const erased = events.flatMap((event) => (event.type === 'UserErased' ? [event.userId] : []));
          await forgetFrames(client, erased);
          crashPoint('stream.applied');
          return frames;
        },
        async committed({ result }) {
          crashPoint('stream.committed');
          await publish(engine, redis, result);
          crashPoint('stream.published');
        },
      });
      finishRound(engine, installed, batches, applied, began);
    },
    { maxRecords },
  );
}

async function publish(engine: Engine, redis: Redis, frames: readonly NumberedFrame[]): Promise<void> {
  if (frames.length === 0) return;
  const pipeline = redis.pipeline();
  for (const { userId, seq, payload } of frames) {
    const key = streamKey(engine.prefix, userId);
    const text = JSON.stringify({ seq, ...payload });
    // An id not above the top is refused by Redis: the frame is there already.
    pipeline.xadd(key, 'MAXLEN', '~', keptInRedis, `${seq}-0`, 'e', text);
    pipeline.publish(key, text);
  }
  await pipeline.exec().catch((error) => {
    engine.log.warn(
      { err: error, frames: frames.length },
      'frames wait in Postgres: Redis does not take them',
    );
  });
}

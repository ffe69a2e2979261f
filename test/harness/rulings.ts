import { openAppender } from '../../platform/log/appender.ts';
import { openCodec } from '../../platform/log/codec.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { type LetterPlace, letterId } from '../../schemas/operator/dead-letter.ts';
import { event } from './events.ts';
import type { World } from './world.ts';

/** Appends what an operator would: that this model never takes the record of this place. */
export async function discardLetter(world: World, place: LetterPlace): Promise<void> {
  const { prefix, kafka, env } = world;
  const registryUrl = env.SCHEMA_REGISTRY_URL!;
  const codec = await openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix });
  const partitions = Number(env.EMULSION_PARTITIONS);
  const appender = await openAppender({
    kafka,
    prefix,
    partitions,
    log: createLogger('test', 'silent'),
  });
  const ruling = { ...place, offset: Number(place.offset), letterId: letterId(place), reason: null };
  await appender.append(codec.encode(event('DeadLetterDiscarded', ruling, Date.now()), null));
  await appender.close();
}

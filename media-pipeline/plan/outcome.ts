import { v5 as uuidv5 } from 'uuid';
import type { Envelope, EventOf, MediaVariant } from '../../schemas/generated/events.ts';
import type { RejectionCode } from './reject.ts';
import type { Dimensions } from './sizes.ts';

type Uploaded = EventOf<'MediaUploaded'>;

export interface Made extends Dimensions {
  placeholder: string;
  dominantColor: string;
  variants: MediaVariant[];
}

export function readyEvent(cause: Uploaded, made: Made): EventOf<'MediaReady'> {
  const { width, height, placeholder, dominantColor, variants } = made;
  return {
    type: 'MediaReady',
    meta: outcomeMeta(cause.meta),
    mediaId: cause.mediaId,
    ownerId: cause.ownerId,
    kind: 'image',
    width,
    height,
    placeholder,
    dominantColor,
    variants,
  };
}

export function rejectedEvent(cause: Uploaded, code: RejectionCode): EventOf<'MediaRejected'> {
  const { mediaId, ownerId, meta } = cause;
  return { type: 'MediaRejected', meta: outcomeMeta(meta), mediaId, ownerId, code };
}

/**
 * Id and time are functions of the cause alone (DESIGN §2 rule 5). A crash after the append makes the outcome a
 * second time; with this clock's time the two records would be two facts, and the later would win in every model.
 * So they carry one (time, id), which is applied once. One millisecond: it must be newer than its cause.
 */
function outcomeMeta(cause: Envelope): Envelope {
  return {
    id: uuidv5('1', cause.id),
    source: '/media-pipeline',
    time: cause.time + 1,
    actor: null,
    correlation: cause.correlation,
    causation: cause.id,
  };
}

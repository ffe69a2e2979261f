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
    meta: outcomeMeta(cause.meta, seen),
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
  const kind = code === 'media_missing' ? missing : seen;
  return { type: 'MediaRejected', meta: outcomeMeta(meta, kind), mediaId, ownerId, code };
}

/** What is said of bytes that were looked at, and what is said when there are none; milliseconds behind the cause. */
const seen = { name: '1', after: 2 };
const missing = { name: 'missing', after: 1 };

/**
 * Id and time are functions of the cause and of whether its bytes were there (DESIGN §2 rule 5). A crash after the append
 * makes the outcome a second time; with this clock's time the two records would be two facts, and the later would win in
 * every model. So they carry one (time, id), which is applied once. Of a rejected upload that lies in the log twice the
 * second finds nothing any more: that is older than what the first found, in whatever order they come.
 */
function outcomeMeta(cause: Envelope, { name, after }: typeof seen): Envelope {
  return {
    id: uuidv5(name, cause.id),
    source: '/media-pipeline',
    time: cause.time + after,
    actor: null,
    correlation: cause.correlation,
    causation: cause.id,
  };
}

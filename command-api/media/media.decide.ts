import type { MediaUploaded, MediaUploadRequested } from '../../schemas/generated/events.ts';
import { maxImageBytes } from '../../schemas/media/image.ts';
import { type Refusal, refuse } from '../../schemas/problems.ts';
import { maySeeMedia } from '../../schemas/visibility/visibility.ts';
import { type CommandContext, envelopeOf, type Unchanged, unchanged } from '../append/decision.ts';

/** What a client may announce; the pipeline believes only the bytes (F-ME2). */
const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif'] as const;

export type MediaStage = 'requested' | 'uploaded' | 'ready' | 'rejected';

export interface MediaFacts {
  mediaId: string;
  ownerId: string;
  state: MediaStage;
  /** Why it was rejected. */
  reason: string | null;
}

export interface UploadCommand {
  contentType: string;
  fileName: string;
  /** Bytes. */
  size: number;
}

/** Where an original lies in the object store: nobody but the pipeline reads there. */
export function originalKey(ownerId: string, mediaId: string): string {
  return `o/${ownerId}/${mediaId}`;
}

export function decideRequestUpload(
  command: UploadCommand,
  context: CommandContext,
): MediaUploadRequested | Refusal {
  if (!imageTypes.some((type) => type === command.contentType)) {
    return refuse('media_type_unsupported', `Send one of ${imageTypes.join(', ')}.`);
  }
  if (command.size > maxImageBytes) return refuse('media_too_large', tooLarge(command.size));
  return {
    type: 'MediaUploadRequested',
    meta: envelopeOf(context),
    mediaId: context.newId,
    ownerId: context.actor,
    ...command,
    objectKey: originalKey(context.actor, context.newId),
  };
}

export interface CompleteState {
  media: MediaFacts | null;
  /** What the object store has at the media's key; null when nothing. */
  object: { size: number } | null;
}

/**
 * A media goes only forward, so one that is past its upload (rejected, too) needs no second event, which would start
 * the pipeline again: the answer says how far it is.
 */
export function decideComplete(
  { media, object }: CompleteState,
  context: CommandContext,
): MediaUploaded | Refusal | Unchanged {
  if (!media || !isOwn(media, context.actor)) return refuse('media_not_found');
  if (media.state !== 'requested') return unchanged;
  if (!object) return refuse('media_not_uploaded', 'PUT the bytes to the upload URL first.');
  if (object.size > maxImageBytes) return refuse('media_too_large', tooLarge(object.size));
  return {
    type: 'MediaUploaded',
    meta: envelopeOf(context),
    mediaId: media.mediaId,
    ownerId: media.ownerId,
    objectKey: originalKey(media.ownerId, media.mediaId),
  };
}

/** Whether a post or a profile of this person may name the media: own, uploaded, not rejected; null when it may. */
export function refusalForUse(mediaId: string, media: MediaFacts | undefined, actor: string): Refusal | null {
  if (!media || !isOwn(media, actor))
    return refuse('media_not_found', `There is no media ${mediaId} of yours.`);
  if (media.state === 'rejected') return rejected(media);
  if (media.state === 'requested') {
    return refuse('media_not_uploaded', `Complete the upload of ${mediaId} first.`);
  }
  return null;
}

function isOwn(media: MediaFacts, actor: string): boolean {
  return maySeeMedia(actor, media.ownerId);
}

function rejected(media: MediaFacts): Refusal {
  return refuse('media_rejected', `${media.mediaId}: ${media.reason ?? 'rejected'}`);
}

function tooLarge(size: number): string {
  return `It has ${size} bytes, the limit is ${maxImageBytes}.`;
}

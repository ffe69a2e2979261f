import type { BoundRoute } from '../../platform/http/bind.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';
import type { Storage } from '../../platform/storage/s3.ts';
import { completeUpload, requestUpload } from '../../schemas/media/media.http.ts';
import { type FreeShell, runFree } from '../append/free.ts';
import { type Handle, type ReplyWith, requestOf } from '../guards/bind.ts';
import type { Models } from '../guards/models.ts';
import { problem } from '../guards/problem.ts';
import { decideComplete, decideRequestUpload, type MediaStage, originalKey } from './media.decide.ts';
import { type KnownMedia, loadMedia } from './media.state.ts';

export interface MediaShell extends FreeShell {
  pool: Queryable;
  models: Models;
  /** null: uploads are off, all else runs (F-ME1). */
  storage: Storage | null;
  reply: ReplyWith;
}

/** Seconds that an upload URL can be used (F-ME1). */
const uploadSeconds = 15 * 60;

/** Part of F-ME1: upload by presigned PUT. */
export function mediaRoutes(handle: Handle, shell: MediaShell): BoundRoute[] {
  return [
    handle(requestUpload, async (call) => {
      const storage = storageOf(shell);
      const answered = await runFree(shell, requestOf(requestUpload, call), {
        newestSeen: 0,
        decide: (context) => decideRequestUpload(call.body, context),
        answer: ({ newId }) => ({ mediaId: newId, state: 'requested' as const }),
      });
      // Made anew for a repeat: what is kept for repeats never holds an address that expires.
      const key = originalKey(call.viewer.userId, answered.body.mediaId);
      const upload = await presign(storage, key, call.body);
      return shell.reply(call, { ...answered, body: { ...answered.body, upload } });
    }),
    handle(completeUpload, async (call) => {
      const storage = storageOf(shell);
      const known = await loadMedia(shell.pool, shell.models, [call.params.id]);
      const media = known.get(call.params.id) ?? null;
      const object = await headOf(storage, media, call.viewer.userId);
      const answered = await runFree(shell, requestOf(completeUpload, call), {
        newestSeen: media?.eventTime ?? 0,
        decide: (context) => decideComplete({ media, object }, context),
        answer: () => ({ mediaId: call.params.id, state: stateAfter(media!.state) }),
      });
      return shell.reply(call, answered);
    }),
  ];
}

function storageOf({ storage }: MediaShell): Storage {
  if (!storage) throw problem('uploads_off', 'This installation has no object store; all else works.');
  return storage;
}

async function presign(storage: Storage, key: string, terms: { contentType: string; size: number }) {
  const signed = await storage.presignPut(key, { ...terms, expiresSeconds: uploadSeconds });
  return {
    method: 'PUT' as const,
    ...signed,
    expiresAt: new Date(Date.now() + uploadSeconds * 1_000).toISOString(),
  };
}

/** The object store is only asked about a media that still waits for its object, and only for its owner. */
async function headOf(storage: Storage, media: KnownMedia | null, userId: string) {
  if (media?.state !== 'requested' || media.ownerId !== userId) return null;
  return storage.head(originalKey(media.ownerId, media.mediaId));
}

function stateAfter(before: MediaStage): MediaStage {
  return before === 'requested' ? 'uploaded' : before;
}

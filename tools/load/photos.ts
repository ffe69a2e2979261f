import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { failure } from '../../deploy/native/failure.ts';
import { type Call, type Client, Refused } from './client.ts';
import { act, commandKey, type Person } from './people.ts';
import { count, type Tally } from './tally.ts';

export interface PhotoFile {
  name: string;
  contentType: string;
  size: number;
  bytes(): Buffer;
}

const contentTypes: Record<string, string> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.avif': 'image/avif',
  '.heic': 'image/heic',
};

/** The photographs of a folder by name, so that a seed means the same everywhere. */
export function listPhotos(folder: string): PhotoFile[] {
  const names = readNames(folder).filter((name) => contentTypes[path.extname(name).toLowerCase()]);
  const photos = names.sort().map((name): PhotoFile => {
    const file = path.join(folder, name);
    const contentType = contentTypes[path.extname(name).toLowerCase()]!;
    return { name, contentType, size: statSync(file).size, bytes: () => readFileSync(file) };
  });
  const whole = photos.filter((photo) => photo.size > 0);
  if (whole.length > 0) return whole;
  throw failure(
    `${folder} holds no photograph.`,
    `Give a folder with files that end in ${Object.keys(contentTypes).join(', ')}.`,
  );
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw failure(
      `${folder} can't be read: ${(error as Error).message}.`,
      'Give --photos a folder that is there.',
    );
  }
}

/** What an earlier run has put is not replaced. */
const alreadyThere = 412;

/** Uploads one photograph as its owner; gives the media id, or null when it was refused (which is counted). */
export async function uploadPhoto(
  client: Client,
  tally: Tally,
  owner: Person,
  photo: PhotoFile,
  key: string,
): Promise<string | null> {
  const request: Call = {
    method: 'POST',
    path: '/api/media/uploads',
    body: { contentType: photo.contentType, fileName: photo.name, size: photo.size },
    idempotencyKey: commandKey(key, 'upload'),
  };
  const asked = await act(client, owner, request);
  if (!count(tally, 'upload', request, asked)) return null;
  const { mediaId, upload } = asked.body as unknown as {
    mediaId: string;
    upload: { url: string; headers: Record<string, string> };
  };
  // A second run meets media that an earlier one has uploaded; their addresses may have ended.
  if ((await mediaState(client, owner, mediaId)) !== 'requested') return mediaId;
  const status = await client.put(upload.url, upload.headers, photo.bytes());
  if (status >= 300 && status !== alreadyThere)
    throw new Error(`The object store answered ${status} to the upload of ${photo.name}.`);
  const complete: Call = { method: 'POST', path: `/api/media/uploads/${mediaId}/complete` };
  const completed = await act(client, owner, complete, true);
  return count(tally, 'complete', complete, completed) ? mediaId : null;
}

/** requested, uploaded, ready or rejected. */
export async function mediaState(client: Client, owner: Person, mediaId: string): Promise<string> {
  const call: Call = { method: 'GET', path: `/api/media/${mediaId}` };
  const answer = await act(client, owner, call, true);
  if (answer.status !== 200) throw new Refused(call, answer);
  return String(answer.body!.state);
}

import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { StorageConfig } from '../process/config.ts';
import { type BoundedStream, type Fetched, readBounded } from './bounded.ts';
import { isMissing, ObjectRefused, unavailable } from './errors.ts';

export interface StoredObject {
  /** Bytes. */
  size: number;
  /** As given by whoever put it: a claim, not a fact. */
  contentType: string;
}

export interface UploadTerms {
  contentType: string;
  /** Bytes. Signed, so that the store refuses a body of any other size. */
  size: number;
  expiresSeconds: number;
}

export interface Presigned {
  url: string;
  headers: Record<string, string>;
}

/** The object store. Every call throws ProblemError dependency_unavailable when the store does not do its part. */
export interface Storage {
  /**
   * An address for one PUT, and the headers to send with it unchanged; the content-length must be that of the terms.
   * Nothing that is there is replaced: a second PUT gets 412, however often the address is given out.
   */
  presignPut(key: string, terms: UploadTerms): Promise<Presigned>;
  head(key: string): Promise<StoredObject | null>;
  exists(key: string): Promise<boolean>;
  /** The whole object, never more than maxBytes of it in memory. */
  get(key: string, limits: { maxBytes: number }): Promise<Fetched>;
  put(key: string, body: Buffer, how: { contentType: string; cacheControl: string }): Promise<void>;
  /** The first keys that begin with this, a thousand at most. */
  list(prefix: string): Promise<string[]>;
  /** Removing what is not there is no error. */
  remove(keys: readonly string[]): Promise<void>;
  close(): void;
}

/**
 * Milliseconds until a connection stands; until an answer begins and a body has come; between two of its bytes; for a
 * head with all its attempts, because somebody waits for it.
 */
const limits = {
  connectMs: 2_000,
  requestMs: 20_000,
  idleMs: 10_000,
  headMs: 8_000,
  attempts: 3,
  sockets: 32,
};

/** The most keys that S3 takes in one DeleteObjects. */
const removeAtOnce = 1_000;

export function openStorage(config: StorageConfig): Storage {
  const Bucket = config.bucket;
  const client = createClient(config, config.endpoint);
  // Another host in the URL is another signature, so what clients get is signed for the address they see.
  const publicClient = createClient(config, config.publicEndpoint);

  const head = (key: string): Promise<StoredObject | null> =>
    asked('head', key, async () => {
      try {
        const abortSignal = AbortSignal.timeout(limits.headMs);
        const answer = await client.send(new HeadObjectCommand({ Bucket, Key: key }), { abortSignal });
        return { size: answer.ContentLength ?? 0, contentType: answer.ContentType ?? '' };
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });

  return {
    head,
    exists: async (key) => (await head(key)) !== null,
    get: (key, { maxBytes }) => asked('get', key, () => fetchWhole(client, Bucket, key, maxBytes)),
    presignPut: (key, terms) =>
      asked('presign', key, async () => {
        const command = new PutObjectCommand({
          Bucket,
          Key: key,
          ContentType: terms.contentType,
          ContentLength: terms.size,
          IfNoneMatch: '*',
        });
        // content-type is left out of signatures unless it is asked for.
        const signableHeaders = new Set(['content-type', 'content-length', 'if-none-match']);
        const { expiresSeconds: expiresIn } = terms;
        const url = await getSignedUrl(publicClient, command, { expiresIn, signableHeaders });
        return { url, headers: { 'Content-Type': terms.contentType, 'If-None-Match': '*' } };
      }),
    put: (key, body, how) =>
      asked('put', key, async () => {
        const { contentType: ContentType, cacheControl: CacheControl } = how;
        await client.send(new PutObjectCommand({ Bucket, Key: key, Body: body, ContentType, CacheControl }));
      }),
    list: (prefix) =>
      asked('list', prefix, async () => {
        const answer = await client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
        return (answer.Contents ?? []).map(({ Key }) => Key!);
      }),
    remove: async (keys) => {
      for (let from = 0; from < keys.length; from += removeAtOnce) {
        const some = keys.slice(from, from + removeAtOnce);
        await asked('remove', some[0]!, () => removeSome(client, Bucket, some));
      }
    },
    close: () => {
      client.destroy();
      publicClient.destroy();
    },
  };
}

function createClient(config: StorageConfig, endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: config.region,
    credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey },
    forcePathStyle: true,
    // Otherwise a checksum of the empty body is signed into presigned URLs, and every upload by one is refused.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: limits.attempts,
    requestHandler: {
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.requestMs,
      throwOnRequestTimeout: true,
      socketTimeout: limits.idleMs,
      httpAgent: { keepAlive: true, maxSockets: limits.sockets },
      httpsAgent: { keepAlive: true, maxSockets: limits.sockets },
    },
  });
}

async function fetchWhole(client: S3Client, Bucket: string, Key: string, maxBytes: number): Promise<Fetched> {
  try {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key }));
    const stream = answer.Body as unknown as BoundedStream;
    return await readBounded(stream, answer.ContentLength, { maxBytes, withinMs: limits.requestMs });
  } catch (error) {
    if (isMissing(error)) return { found: 'nothing' };
    throw error;
  }
}

async function removeSome(client: S3Client, Bucket: string, keys: readonly string[]): Promise<void> {
  const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
  const answer = await client.send(new DeleteObjectsCommand({ Bucket, Delete }));
  const failed = answer.Errors?.find((error) => error.Code !== 'NoSuchKey');
  if (failed) throw new ObjectRefused(`${failed.Key}: ${failed.Code} ${failed.Message}`);
}

async function asked<T>(what: string, key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unavailable(what, key, error);
  }
}

import { connect } from 'node:net';

const limitMs = 2_000;

/**
 * The level of the feature metadata.version that the cluster runs at (22 and up: Kafka 4), by an ApiVersions request
 * of version 3, which kafkajs does not speak. null when the broker does not say.
 */
export async function metadataVersion(address: string): Promise<number | null> {
  const answer = await ask(address, apiVersionsRequest()).catch(() => null);
  return answer ? finalizedFeature(answer, 'metadata.version') : null;
}

function apiVersionsRequest(): Buffer {
  const client = Buffer.from('doctor');
  const compact = Buffer.concat([Buffer.from([client.length + 1]), client]);
  // key 18, version 3, correlation 1, client id, no tags; then name and version of the client, no tags
  const head = Buffer.from([0, 18, 0, 3, 0, 0, 0, 1, 0, client.length]);
  const body = Buffer.concat([head, client, Buffer.from([0]), compact, compact, Buffer.from([0])]);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Tag 2 of the answer: the features that are in force, each with its highest level. */
function finalizedFeature(answer: Buffer, name: string): number | null {
  const read = reader(answer, 8);
  if (read.int16() !== 0) return null;
  read.array(() => {
    read.skip(6);
    read.tags();
  });
  read.skip(4);
  let level: number | null = null;
  read.tags((tag) => {
    if (tag !== 2) return;
    read.array(() => {
      const feature = read.text();
      const highest = read.int16();
      read.skip(2);
      read.tags();
      if (feature === name) level = highest;
    });
  });
  return level;
}

/** The compact encoding of Kafka's newer messages. */
function reader(bytes: Buffer, from: number) {
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at);
      at += 1;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  return {
    skip(count: number): void {
      at += count;
    },
    int16(): number {
      at += 2;
      return bytes.readInt16BE(at - 2);
    },
    text(): string {
      const length = varint() - 1;
      at += length;
      return bytes.toString('utf8', at - length, at);
    },
    array(item: () => void): void {
      for (let left = varint() - 1; left > 0; left -= 1) item();
    },
    tags(take?: (tag: number) => void): void {
      for (let left = varint(); left > 0; left -= 1) {
        const tag = varint();
        const end = varint() + at;
        take?.(tag);
        at = end;
      }
    },
  };
}

/** Sends, and gives one whole answer. */
function ask(address: string, request: Buffer): Promise<Buffer> {
  const colon = address.lastIndexOf(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon));
    let got: Buffer = Buffer.alloc(0);
    socket.setTimeout(limitMs, () => socket.destroy(new Error('no answer')));
    socket.once('connect', () => socket.write(request));
    socket.on('data', (bytes) => {
      got = Buffer.concat([got, bytes]);
      if (got.length < 4 || got.length < 4 + got.readInt32BE(0)) return;
      socket.destroy();
      resolve(got);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ConfigResourceTypes } from 'kafkajs';
import { topics } from '../../schemas/topics.ts';
import type { World } from '../harness/world.ts';

/** Bytes of a record batch that the broker takes in this world: with a few it refuses all. */
export async function setLargestRecord(world: World, bytes: number): Promise<void> {
  const admin = world.kafka.admin();
  await admin.connect();
  await admin.alterConfigs({
    validateOnly: false,
    resources: topics.map((topic) => ({
      type: ConfigResourceTypes.TOPIC,
      name: `${world.prefix}${topic}`,
      configEntries: [
        { name: 'max.message.bytes', value: String(bytes) },
        { name: 'message.timestamp.type', value: 'LogAppendTime' },
        { name: 'retention.ms', value: '-1' },
      ],
    })),
  });
  await admin.disconnect();
}

/** More bytes than a picture may have, where the presigned address would never have let them through. */
export async function putTooMuch(world: World, key: string): Promise<void> {
  const { env } = world;
  const client = new S3Client({
    endpoint: env.S3_ENDPOINT,
    region: env.S3_REGION,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: env.S3_ACCESS_KEY_ID!, secretAccessKey: env.S3_SECRET_ACCESS_KEY! },
  });
  await client.send(
    new PutObjectCommand({ Bucket: env.S3_BUCKET, Key: key, Body: Buffer.alloc(50 * 1024 * 1024 + 1) }),
  );
  client.destroy();
}

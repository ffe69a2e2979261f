import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';

/** Makes the bucket if it is missing, and lets strangers read published objects (`m/…`) and nothing else. */
export async function ensureBucket(stack: Record<string, string>): Promise<void> {
  const client = new S3Client({
    endpoint: stack.S3_ENDPOINT!,
    region: stack.S3_REGION!,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: stack.S3_ACCESS_KEY_ID!, secretAccessKey: stack.S3_SECRET_ACCESS_KEY! },
  });
  const Bucket = stack.S3_BUCKET!;
  try {
    await client.send(new CreateBucketCommand({ Bucket })).catch(acceptOwned);
    await client.send(new PutBucketPolicyCommand({ Bucket, Policy: publishedPolicy(Bucket) }));
  } finally {
    client.destroy();
  }
}

/** Originals live under `o/` and stay private. */
function publishedPolicy(bucket: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Published',
        Effect: 'Allow',
        Principal: '*',
        Action: ['s3:GetObject'],
        Resource: [`arn:aws:s3:::${bucket}/m/*`],
      },
    ],
  });
}

function acceptOwned(error: Error): void {
  if (error.name !== 'BucketAlreadyOwnedByYou' && error.name !== 'BucketAlreadyExists') throw error;
}

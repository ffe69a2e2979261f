import net from 'node:net';
import type { ServiceName } from './services.ts';
import type { World } from './world.ts';

/**
 * Takes the members of a service out of its consumer groups. Those of a killed process the broker would wait for until
 * their session of ten seconds is over; a living process joins again. Not for a world with several of the service.
 */
export async function dismissMembers({ kafka, prefix, env }: World, service: ServiceName): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { groups } = await admin.listGroups();
    const ids = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(prefix));
    const described = await admin.describeGroups(ids);
    for (const { groupId, members } of described.groups) {
      const own = members.filter(({ clientId }) => clientId.endsWith(service));
      for (const { memberId } of own) await leaveGroup(env.KAFKA_BROKERS!, groupId, memberId);
    }
  } finally {
    await admin.disconnect();
  }
}

const leaveGroupKey = 13;

/** LeaveGroup, version 0. A member that has left by now is no error. */
async function leaveGroup(broker: string, groupId: string, memberId: string): Promise<void> {
  const [host, port] = broker.split(':') as [string, string];
  const head = Buffer.alloc(10);
  head.writeInt16BE(leaveGroupKey, 0);
  head.writeInt16BE(0, 2);
  head.writeInt32BE(1, 4);
  head.writeInt16BE(-1, 8);
  const body = Buffer.concat([head, text(groupId), text(memberId)]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect(Number(port), host, () => socket.write(Buffer.concat([size, body])));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the broker does not know how to let a member go')));
    socket.once('data', () => {
      resolve();
      socket.destroy();
    });
  });
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const size = Buffer.alloc(2);
  size.writeInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

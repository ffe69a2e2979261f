import { BlockList, isIP } from 'node:net';
import { LRUCache } from 'lru-cache';

export type ClientIp = (remote: string | undefined, forwardedFor: string | undefined) => string;

/**
 * The address a request really came from: X-Forwarded-For is believed only as far as trusted proxies wrote it.
 * `proxies` are addresses or ranges such as 10.0.0.0/8; throws on anything else.
 */
export function clientIpBehind(proxies: readonly string[]): ClientIp {
  const trusted = new BlockList();
  for (const proxy of proxies) add(trusted, proxy);
  // The same few proxies send nearly every request, and a check makes an object of each address.
  const checked = new LRUCache<string, boolean>({ max: 1_000 });
  const isTrusted = (ip: string): boolean => {
    let answer = checked.get(ip);
    if (answer === undefined) {
      answer = isIP(ip) !== 0 && trusted.check(ip, family(ip));
      checked.set(ip, answer);
    }
    return answer;
  };
  return (remote, forwardedFor) => {
    const hops = (forwardedFor ?? '').split(',').map((hop) => plain(hop.trim()));
    let ip = plain(remote ?? '');
    while (isTrusted(ip) && hops.length > 0) {
      const next = hops.pop()!;
      if (isIP(next) === 0) break;
      ip = next;
    }
    return ip;
  };
}

function add(list: BlockList, proxy: string): void {
  const [address = '', bits] = proxy.split('/');
  if (isIP(address) === 0) throw new Error(`${proxy} is not an address or range of a trusted proxy`);
  if (bits === undefined) list.addAddress(address, family(address));
  else list.addSubnet(address, Number(bits), family(address));
}

function family(ip: string): 'ipv4' | 'ipv6' {
  return isIP(ip) === 6 ? 'ipv6' : 'ipv4';
}

/** A v4 address that a v6 socket shows. */
function plain(ip: string): string {
  return ip.startsWith('::ffff:') ? ip.slice(7) : ip;
}

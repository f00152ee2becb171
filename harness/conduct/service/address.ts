/** Where a service is: the address that a name stands for, and whether somebody listens there. */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { HarnessError } from '../../base/errors.ts';

const isLocalhost = /^(?:.+\.)?localhost\.?$/iu;

/** How long an address may take to accept a connection. */
const probeMs = 1_000;

/**
 * The address of a host; of a name with several (localhost is 127.0.0.1 and ::1), the first at which somebody listens.
 * @throws {HarnessError} when it has none
 */
export async function resolveHost(hostname: string, port: number): Promise<string> {
  const literal = withoutBrackets(hostname);
  if (isIP(literal) !== 0) return literal;
  const addresses = await addressesOf(literal);
  if (addresses.length > 1) {
    for (const address of addresses) if (await isListening(address, port)) return address;
  }
  return addresses[0] ?? literal;
}

/**
 * What has become of the name since it was resolved: a sentence where the service is answered, or the name leads, elsewhere
 * by now; null where all is as before.
 */
export async function movedNote(hostname: string, address: string, port: number): Promise<string | null> {
  const literal = withoutBrackets(hostname);
  if (isIP(literal) !== 0) return null;
  const addresses = await addressesOf(literal).catch((): string[] => []);
  const others = addresses.filter((other) => other !== address);
  const asked = `every request went to ${address}, the address that the name had at the beginning`;
  if (await isListening(address, port)) {
    if (addresses.includes(address) || others.length === 0) return null;
    return `${literal} has another address now, ${others.join(', ')}; ${asked}.`;
  }
  for (const other of others) {
    if (await isListening(other, port)) {
      return `${literal} is answered at ${other} now, and nobody listens at ${address}; ${asked}.`;
    }
  }
  return null;
}

/** Is it this machine's own? */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}

async function addressesOf(name: string): Promise<string[]> {
  try {
    const found = (await lookup(name, { all: true })).map(({ address }) => address);
    // RFC 6761, 6.3: whatever the hosts file says, it is either loopback address.
    return isLocalhost.test(name) ? [...new Set([...found, '127.0.0.1', '::1'])] : found;
  } catch (cause) {
    throw new HarnessError('host-unknown', `The host ${name} of --url has no address.`, { cause });
  }
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/gu, '');
}

/** Does anybody accept a connection there? Nothing is sent on it. */
async function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: probeMs });
    const done = (accepted: boolean) => () => {
      socket.destroy();
      resolve(accepted);
    };
    socket.on('connect', done(true)).on('error', done(false)).on('timeout', done(false));
  });
}

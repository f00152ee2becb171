/** Where a service is: the address that a name stands for, or a Unix socket, and whether somebody listens there. */
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { addressText } from '../../base/address-text.ts';
import { HarnessError } from '../../base/errors.ts';
import { addressesOf, firstListening, isListening } from '../../in-lab/connection/name-watch.ts';

const isLocalhost = /^(?:.+\.)?localhost\.?$/iu;

/**
 * The address of a host; of a name with several (localhost is 127.0.0.1 and ::1), the first at which somebody listens.
 * @returns with it the name that may lead elsewhere later; null where none is looked up
 * @throws {HarnessError} when it has none
 */
export async function resolveHost(hostname: string, port: number) {
  const literal = hostname.replace(/^\[|\]$/gu, '');
  if (isIP(literal) !== 0) return { address: literal, name: null };
  const addresses = await addressesOf(literal).catch((cause: unknown) => {
    throw new HarnessError('host-unknown', `The host ${literal} of --url has no address.`, { cause });
  });
  // RFC 6761, 6.3: whatever the hosts file says, it is either loopback address.
  const isLocal = isLocalhost.test(literal);
  const all = isLocal ? [...new Set([...addresses, '127.0.0.1', '::1'])] : addresses;
  return { address: (await firstListening(all, port)) ?? literal, name: isLocal ? null : literal };
}

/**
 * Where the name leads at the end of the load, if not to where it led at the beginning.
 * @returns `movedTo`: its addresses, none of which is the first one. `note`, a sentence: it still has the address, where
 *   nobody listens any more, and is answered elsewhere
 */
export async function nameAtEnd(
  name: string,
  address: string,
  port: number,
): Promise<{ movedTo?: string; note?: string }> {
  const addresses = await addressesOf(name).catch((): string[] => []);
  if (addresses.length === 0) return {};
  if (!addresses.includes(address)) return { movedTo: addresses.join(', ') };
  if (addresses.length === 1 || (await isListening(address, port))) return {};
  for (const other of addresses) {
    if (!(await isListening(other, port))) continue;
    const why = 'requests go to an address for as long as the name has it';
    return { note: `${name} is answered at ${other} now, and nobody listens at ${address}; ${why}.` };
  }
  return {};
}

/** Is it this machine's own? */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}

/** Address and port as a URL has them; a Unix socket as its path. */
export function endpointText({ address, port }: { readonly address: string; readonly port: number | null }): string {
  return port === null ? address : `${addressText(address)}:${port}`;
}

/** Why a Unix socket cannot be asked by this user, as the system's word; null where it can, or nobody listens. */
export async function socketProblem(path: string): Promise<string | null> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return null;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return ['EACCES', 'EPERM', 'EPROTOTYPE', 'EINVAL'].includes(code) ? code : null;
  } finally {
    socket.destroy();
  }
}

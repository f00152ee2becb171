/** Addresses as people read them. */
import { isIP } from 'node:net';

/** An IPv6 address stands in brackets, as in a URL. */
export function addressText(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

/** Follows a name whose address may change under a load: new connections go to where it leads by then. */
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';

/** How long an address may take to accept a connection. */
const probeMs = 1_000;

/** A name that is looked up again while the load goes on. */
export interface WatchedName {
  readonly name: string;
  readonly everyMs: number;
}

/** Looks a name up again and again, beside the load and never in its way. */
export class NameWatch {
  private readonly timer: NodeJS.Timeout;
  private address: string;
  private isLooking = false;

  /**
   * @param address where it led first
   * @param moved is told each other address that it leads to
   */
  constructor({ name, everyMs }: WatchedName, address: string, port: number, moved: (address: string) => void) {
    this.address = address;
    this.timer = setInterval(() => void this.look(name, port, moved), everyMs).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** An address that the name still has stays; a lookup that fails changes nothing. */
  private async look(name: string, port: number, moved: (address: string) => void): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    const addresses = await addressesOf(name).catch((): string[] => []);
    const next = addresses.includes(this.address) ? this.address : await firstListening(addresses, port);
    this.isLooking = false;
    if (next === undefined || next === this.address) return;
    this.address = next;
    moved(next);
  }
}

/** The addresses of a name, in the system's order. */
export async function addressesOf(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

/** The first of several addresses at which somebody listens; the first of all where nobody does. */
export async function firstListening(addresses: readonly string[], port: number): Promise<string | undefined> {
  if (addresses.length > 1) {
    for (const address of addresses) if (await isListening(address, port)) return address;
  }
  return addresses[0];
}

/** Does anybody accept a connection there? Nothing is sent on it. */
export async function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: probeMs });
    const done = (accepted: boolean) => () => {
      socket.destroy();
      resolve(accepted);
    };
    socket.on('connect', done(true)).on('error', done(false)).on('timeout', done(false));
  });
}

/** Listening, with errors that a person can act upon. */
import type { Server } from 'node:http';
import type { ListenAddress } from './address.ts';

/**
 * Listens on an address, or on a listening socket that was inherited (a file descriptor). `backlog` is the length of
 * its queue of connections. Rejects with an Error whose message names the place and the cause.
 */
export async function listen(server: Server, where: ListenAddress | number, backlog: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException) => reject(new Error(sentence(where, error), { cause: error }));
    server.once('error', refused);
    const listening = () => {
      server.off('error', refused);
      resolve();
    };
    // For a descriptor Node ignores a backlog among the options, and honours the second argument only.
    if (typeof where === 'number') server.listen({ fd: where }, backlog, listening);
    else server.listen(where.port, where.host, backlog, listening);
  });
}

const causes: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not listen there',
  ENOTFOUND: 'there is no host of this name',
};

function sentence(where: ListenAddress | number, { code = '', message }: NodeJS.ErrnoException): string {
  const place = typeof where === 'number' ? `file descriptor ${where}` : `${where.host ?? ''}:${where.port}`;
  return `cannot listen on ${place}: ${causes[code] ?? message} (${code})`;
}

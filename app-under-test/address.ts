/** Listen addresses as Go writes them: `host:port`, and `:port` for every address of the machine. */

/** Where to listen. `host` is undefined for every address, IPv4 and IPv6. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/**
 * Reads `:8080`, `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`. Port 0 lets the kernel choose one.
 * Throws an Error whose message says what was wrong with the text.
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/u.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new Error(`"${text}" is not a listen address (write :8080, 127.0.0.1:8080 or [::1]:8080)`);
  }
  return { host: match[1] ?? (match[2] === '' ? undefined : match[2]), port };
}

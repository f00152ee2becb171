/** Ports that are taken. It runs in the lab too, so it imports nothing. */

/** The proxy's, which shares the server's network: its entry point, and what it says of its backends. */
export const portsOfProxy: readonly number[] = [80, 8099];

/** Connections that are held open beside the load: what kinds there are, and how many there may be. */

/** The kinds of `--hold-kind`. */
export const holdKinds = ['sse', 'websocket', 'idle', 'slow-response'] as const;
export type HoldKind = (typeof holdKinds)[number];

/**
 * A deploy ends them all at once, and one thread opens them all again: over TLS 1.4 ms of a core each. With more than
 * these, the time until they are back would be the client's own.
 */
export const mostHeld = 1_000;

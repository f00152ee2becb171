/** Outcomes as a reader sees them: classes, their colours, and what each means. Colours after Okabe and Ito. */
import type { Outcome } from '../../run/files/ledger.ts';

/** An answer slower than this is drawn as one that waited. */
const waitedMs = 100;

/** Classes of outcomes, each drawn in one colour, from the bottom of a bar to its top. */
export const classes = {
  ok: { name: 'ok', colour: '#c9d9e6' },
  waited: { name: `ok after ${waitedMs} ms or more`, colour: '#56b4e9' },
  bad502: { name: '502', colour: '#d55e00' },
  bad503: { name: '503', colour: '#e69f00' },
  badStatus: { name: 'other status', colour: '#f0e442' },
  refused: { name: 'refused, unreachable', colour: '#cc79a7' },
  cut: { name: 'reset, closed, refused-stream, truncated, tls', colour: '#000000' },
  late: { name: 'timeout', colour: '#0072b2' },
  wrong: { name: 'wrong, parse', colour: '#009e73' },
  own: { name: 'not sent (generator)', colour: '#999999' },
} as const;

/** Name of a class. */
export type ClassName = keyof typeof classes;

/** All classes, in the order in which bars are stacked. */
export const classNames = Object.keys(classes) as ClassName[];

/** Class and meaning of each outcome; a status that is not here is "other status". */
const outcomes: Readonly<Record<string, readonly [ClassName, string]>> = {
  ok: ['ok', 'a complete answer, the one that was asked for'],
  refused: ['refused', 'nobody listened on the port'],
  unreachable: ['refused', 'no route to the host'],
  'connect-timeout': ['late', 'no connection within the deadline'],
  timeout: ['late', 'no complete answer within the deadline'],
  reset: ['cut', 'the connection was reset before any answer'],
  closed: ['cut', 'the connection was closed (FIN) before any answer'],
  'refused-stream': [
    'cut',
    'the server said that it did not process the request (HTTP/2), which is safe to send again',
  ],
  truncated: ['cut', 'the answer began and was cut'],
  tls: [
    'cut',
    'the TLS handshake failed; no request was sent, or it was sent and the server refused the client’s certificate',
  ],
  wrong: ['wrong', 'a complete answer with another body than the one asked for'],
  parse: ['wrong', 'what came was no HTTP'],
  local: ['own', 'the generator itself failed (ports, descriptors); never the server’s'],
  unsent: ['own', 'the generator had no free connection in time; never the server’s'],
  'status-404': ['badStatus', 'the proxy knew no route'],
  'status-500': [
    'badStatus',
    'the proxy lost the connection to the site in a way that it has no better name for, or the site failed',
  ],
  'status-502': ['bad502', 'the proxy got no answer from the site: refused, reset or closed'],
  'status-503': ['bad503', 'the proxy had no server in rotation, or the site was busy'],
  'status-504': ['badStatus', 'the proxy waited for the site in vain'],
};

/** The class of a row. `waitMs`: latency from the due time, less what the request itself asked for. */
export function classifyRow(outcome: Outcome, waitMs: number): ClassName {
  if (outcome === 'ok' && waitMs >= waitedMs) return 'waited';
  return outcomes[outcome]?.[0] ?? 'badStatus';
}

/** What an outcome means, for a reader who meets it the first time. */
export function meaningOf(outcome: string): string {
  const status = outcome.replace('status-', '');
  return outcomes[outcome]?.[1] ?? `a complete answer with status ${status}, which was not expected`;
}

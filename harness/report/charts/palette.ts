/** Outcomes as a reader sees them: classes, their colours, and what each means. Colours after Okabe and Ito. */
import type { Outcome } from '../../run/ledger.ts';

/** A class of outcomes, drawn in one colour. */
export interface OutcomeClass {
  readonly name: string;
  readonly colour: string;
}

/** An answer slower than this is drawn as one that waited. */
const waitedMs = 100;

const classes = {
  ok: { name: 'ok', colour: '#c9d9e6' },
  waited: { name: `ok after ${waitedMs} ms or more`, colour: '#56b4e9' },
  bad502: { name: '502', colour: '#d55e00' },
  bad503: { name: '503', colour: '#e69f00' },
  badStatus: { name: 'other status', colour: '#f0e442' },
  refused: { name: 'refused, unreachable', colour: '#cc79a7' },
  cut: { name: 'reset, closed, truncated', colour: '#000000' },
  late: { name: 'timeout', colour: '#0072b2' },
  wrong: { name: 'wrong, parse', colour: '#009e73' },
  own: { name: 'not sent (generator)', colour: '#999999' },
} as const satisfies Record<string, OutcomeClass>;

/** Name of a class, in the order in which bars are stacked. */
export type ClassName = keyof typeof classes;

/** All classes, from the bottom of a bar to its top. */
export const classNames = Object.keys(classes) as ClassName[];

/** Name and colour of a class. */
export function classOf(name: ClassName): OutcomeClass {
  return classes[name];
}

/** The class of a row. `waitMs`: latency from the due time, less what the request itself asked for. */
export function classifyRow(outcome: Outcome, waitMs: number): ClassName {
  switch (outcome) {
    case 'ok':
      return waitMs >= waitedMs ? 'waited' : 'ok';
    case 'refused':
    case 'unreachable':
      return 'refused';
    case 'reset':
    case 'closed':
    case 'truncated':
      return 'cut';
    case 'timeout':
    case 'connect-timeout':
      return 'late';
    case 'wrong':
    case 'parse':
      return 'wrong';
    case 'unsent':
    case 'local':
      return 'own';
    case 'status-502':
      return 'bad502';
    case 'status-503':
      return 'bad503';
    default:
      return 'badStatus';
  }
}

/** One sentence on each outcome that is not an HTTP status. */
const meanings: Partial<Record<string, string>> = {
  ok: 'a complete answer, the one that was asked for',
  refused: 'nobody listened on the port',
  'connect-timeout': 'no connection within the deadline',
  reset: 'the connection was reset before any answer',
  closed: 'the connection was closed (FIN) before any answer',
  truncated: 'the answer began and was cut',
  timeout: 'no complete answer within the deadline',
  wrong: 'a complete answer with another body than the one asked for',
  parse: 'what came was no HTTP',
  unreachable: 'no route to the host',
  local: 'the generator itself failed (ports, descriptors); never the server’s',
  unsent: 'the generator had no free connection in time; never the server’s',
  'status-404': 'the proxy knew no route',
  'status-500': 'the proxy lost the connection to the site in a way that it has no better name for, or the site failed',
  'status-502': 'the proxy got no answer from the site: refused, reset or closed',
  'status-503': 'the proxy had no server in rotation, or the site was busy',
  'status-504': 'the proxy waited for the site in vain',
};

/** What an outcome means, for a reader who meets it the first time. */
export function meaningOf(outcome: string): string {
  return meanings[outcome] ?? `a complete answer with status ${outcome.replace('status-', '')}, which was not expected`;
}

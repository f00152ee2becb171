/**
 * ledger.ndjson.gz: one row per due request, only what the client saw. Times are microseconds of CLOCK_MONOTONIC in the
 * engine's kernel, counted from the run's origin (the first due time). The direct probe's rows have the same form.
 */
import { methods } from '../../base/methods.ts';
import { flag, integer, integerFrom, oneOf, optional, orNull, text, type Field, type RecordOf } from './fields.ts';
import { runFiles } from '../run-folder.ts';

/** Outcomes that are not an HTTP status; see docs/glossary.md for each. */
export const plainOutcomes = [
  'ok',
  'refused',
  'connect-timeout',
  'reset',
  'closed',
  'refused-stream',
  'truncated',
  'timeout',
  'wrong',
  'parse',
  'tls',
  'unreachable',
  'local',
  'unsent',
] as const;

/** Exactly one per due request. `status-N` is a complete answer with a status nobody asked for. */
export type Outcome = (typeof plainOutcomes)[number] | `status-${number}`;

const plain: ReadonlySet<string> = new Set(plainOutcomes);

/** How a request may have got its connection. */
const connectionKinds = ['new', 'kept'] as const;

const outcome: Field<Outcome> = {
  about: 'How it ended: exactly one per due request (glossary.md).',
  admits: (value) => typeof value === 'string' && (plain.has(value) || /^status-\d{3}$/u.test(value)),
  words: `one of ${plainOutcomes.join(', ')} or status-NNN`,
  type: 'VARCHAR',
  wrongIf: (column) =>
    `${column} not in (${plainOutcomes.map((word) => `'${word}'`).join(', ')}) and not regexp_full_match(${column}, 'status-[0-9]{3}')`,
};

/** The ledger, and the direct probe's. */
export const ledgerFile = {
  name: runFiles.ledger,
  what: 'row of a ledger',
  about: 'One row per due request: only what the client saw.',
  fields: {
    trial: integerFrom(0, 'Always 1.'),
    seq: integerFrom(0, "The slot's number, from 0: due at seq / rate."),
    dueUs: integer('When the schedule says the request leaves, µs since the origin.'),
    sentUs: orNull(integer('When its first byte was handed to the kernel, µs; null when it never was.')),
    connectedUs: orNull(
      integer(
        'When the new connection stood, or the one of HTTP/2 that it waited for, µs; null on one that stood before, or when it never did.',
      ),
    ),
    firstByteUs: orNull(integer('When the first byte of the answer arrived, µs.')),
    doneUs: integer('When the outcome was known, µs.'),
    method: oneOf(methods, 'Method of the request.'),
    path: text('Path and query.'),
    requestId: text('Its X-Request-Id header: the id in all logs.'),
    connection: oneOf(connectionKinds, 'Was it sent on a connection of its own, or on one that is kept?'),
    outcome,
    status: orNull(integer('Status of the answer, as far as it came.')),
    bytes: integerFrom(0, "Bytes of the answer's body that arrived."),
    bodyCrc32: orNull(integerFrom(0, "CRC-32 of the answer's body; null when it was not complete.")),
    instance: orNull(text('The instance that the answer names (X-App-Instance).')),
    version: orNull(text('The version that the answer names (X-App-Version).')),
    error: orNull(text("The system's word for what went wrong, with the step it went wrong in.")),
    request: optional(text('Name of the request, where the load is a mix that the user wrote (--requests).')),
    address: optional(text('The address that it went to, where the name had led to another at first.')),
    securedUs: optional(
      integer(
        'When the TLS handshake of a new connection was done and its certificate accepted, µs; absent without TLS.',
      ),
    ),
    isResumed: optional(flag('The handshake took up the session of an earlier connection (--tls-resume on).')),
    hasNoLength: optional(
      flag('The end of the answer was the close of the connection: had it been cut, nobody could tell.'),
    ),
    protocol: optional(oneOf(['h2'], 'The protocol that was asked for, where it is HTTP/2 (--http 2).')),
    streamId: optional(integerFrom(1, 'The HTTP/2 stream that carried it; absent where none was opened.')),
    rttUs: optional(
      integerFrom(0, 'Of a request that got not a byte back on a connection used before: its shortest round trip, µs.'),
    ),
  },
} as const;

/** One line of the ledger. */
export type LedgerRow = RecordOf<(typeof ledgerFile)['fields']>;

/**
 * Was it due and sent, without a complete, expected answer?
 * `unsent` and `local` are the generator's own and never the server's.
 */
export function isDropped(outcome: Outcome): boolean {
  return outcome !== 'ok' && !isOwnFault(outcome);
}

/** Is it the generator's own failure, which says nothing about the server? */
export function isOwnFault(outcome: Outcome): boolean {
  return outcome === 'unsent' || outcome === 'local';
}

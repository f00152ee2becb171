/**
 * What must hold of every row that the load generator makes, whatever server and network did. A row that breaks a rule
 * shows a bug of the generator: it stops the load, since no other row of it could be trusted either.
 */
import { dueUsOf } from '../../experiment/load-schedule.ts';
import { outcomeOfWords, stepOfWords } from '../../run/failure-words.ts';
import type { LedgerRow, Outcome } from '../../run/files/ledger.ts';

/** Outcomes of requests of whose answer no byte came. */
const unanswered: ReadonlySet<Outcome> = new Set<Outcome>([
  'refused',
  'connect-timeout',
  'reset',
  'closed',
  'refused-stream',
  'unreachable',
  'unsent',
  'tls',
]);

/** Holds a row against the rules. @throws {Error} naming the slot and the rule that its row breaks */
export function assertRow(row: LedgerRow, plan: { readonly ratePerSecond: number; readonly deadlineMs: number }): void {
  const { outcome } = row;
  const isAnswer = outcome === 'ok' || outcome === 'wrong' || outcome.startsWith('status-');
  const broken =
    brokenSlot(row, plan.ratePerSecond) ?? (isAnswer ? brokenAnswer(row) : brokenFailure(row, plan.deadlineMs));
  if (broken !== null)
    throw new Error(`slot ${row.seq}: ${outcome}, but ${broken}; this is a bug of the load generator`);
}

function brokenSlot(row: LedgerRow, ratePerSecond: number): string | null {
  if (row.dueUs !== dueUsOf(row.seq, ratePerSecond)) return `it was not due at ${row.dueUs} µs`;
  if (!row.requestId.endsWith(`-${row.trial}-${row.seq}`)) return `its id is ${row.requestId}`;
  if (!areRising(row)) return 'its times are not in order';
  if ((row.sentUs === null) !== (row.outcome === 'unsent')) return `it was ${row.sentUs === null ? 'not ' : ''}sent`;
  if (row.sentUs === null && row.connectedUs !== null) return 'it was connected and never sent';
  if (row.securedUs !== undefined && row.connectedUs === null) return 'it was secured and never connected';
  if (row.streamId !== undefined && !isStream(row)) return `its stream is ${row.streamId}`;
  if (row.protocol === 'h2' && row.firstByteUs !== null && row.streamId === undefined) return 'it never had a stream';
  if (row.connection === 'new' && row.firstByteUs !== null && row.connectedUs === null) return 'it was never connected';
  return null;
}

/** A client's streams are odd; the number needs a request that was sent, by HTTP/2. */
function isStream({ streamId = 0, protocol, sentUs }: LedgerRow): boolean {
  return streamId % 2 === 1 && protocol === 'h2' && sentUs !== null;
}

function areRising({ dueUs, sentUs, connectedUs, securedUs, firstByteUs, doneUs }: LedgerRow): boolean {
  const sent = sentUs ?? dueUs;
  const connected = connectedUs ?? sent;
  const secured = securedUs ?? connected;
  const first = firstByteUs ?? secured;
  return dueUs <= sent && sent <= connected && connected <= secured && secured <= first && first <= doneUs;
}

/** A complete answer has a status, a first byte and the check sum of its body, and no error. */
function brokenAnswer({ outcome, status, firstByteUs, bodyCrc32, error }: LedgerRow): string | null {
  if (status === null) return 'it has no status';
  if (outcome.startsWith('status-') && outcome !== `status-${status}`) return `its status is ${status}`;
  if (firstByteUs === null) return 'no byte of its answer came';
  if (bodyCrc32 === null) return 'its body has no check sum';
  // Which expectation a wrong answer misses, where the user wrote some.
  const mayHaveError = outcome === 'wrong' && error !== null && outcomeOfWords(error) === 'wrong';
  return error === null || mayHaveError ? null : `it has an error: ${error}`;
}

/** A failure has nothing that only a complete answer has, and words that give its outcome and how far it came. */
function brokenFailure(row: LedgerRow, deadlineMs: number): string | null {
  const { outcome, status, connectedUs, securedUs, firstByteUs, error } = row;
  if (row.version !== null || row.instance !== null || row.bodyCrc32 !== null) return 'it has a complete answer';
  if (status !== null && firstByteUs === null) return `its status is ${status}, of an answer of which no byte came`;
  if (unanswered.has(outcome) && firstByteUs !== null) return 'a byte of its answer came';
  if (error === null || outcomeOfWords(error) !== outcome) return `its error is ${error ?? 'missing'}`;
  const step = stepOfWords(error);
  const isOver = {
    connect: connectedUs !== null,
    handshake: securedUs !== undefined || connectedUs === null,
    wait: firstByteUs !== null,
    body: firstByteUs === null,
  };
  if (step !== null && isOver[step]) return `it had come ${step === 'body' ? 'less far' : 'further'} than ${error}`;
  const waitedUs = row.doneUs - row.dueUs;
  if (error.startsWith('deadline') && waitedUs < deadlineMs * 1000) return `it was given up after ${waitedUs} µs`;
  return null;
}

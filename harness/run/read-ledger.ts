/** Reads a ledger of any length. */
import { connectionKinds, isOutcome, plainOutcomes, type LedgerRow, type Outcome } from './ledger.ts';
import { gzippedKnown } from './gzipped-lines.ts';
import { integer, integerFrom, lineForm, oneOf, optional, orNull, text } from './line-form.ts';
import { keyOf, type LineReader } from './line-reader.ts';
import { methods, type Method } from '../base/methods.ts';

/**
 * The rows of a gzipped ledger, in the order in which they were settled.
 * @throws {HarnessError} naming the file, and the line that is no row
 */
export async function* readLedger(path: string): AsyncGenerator<LedgerRow> {
  for await (const rows of readLedgerRows(path)) yield* rows;
}

/**
 * The same, many rows at a time: a promise for each takes longer than what is done with it.
 * @param noteOdd told of each row that is not as the load generator writes one: it may have further fields
 * @throws {HarnessError} naming the file, and the line that is no row
 */
export function readLedgerRows(path: string, noteOdd?: (row: LedgerRow) => void): AsyncGenerator<LedgerRow[]> {
  return gzippedKnown(path, rowOf, (json, place) => {
    const row = formOfRow(json, place);
    noteOdd?.(row);
    return row;
  });
}

/** Times may be negative: the direct probe's are counted from an origin that is not its own. */
const formOfRow = lineForm<LedgerRow>('row of a ledger', {
  trial: integerFrom(0),
  seq: integerFrom(0),
  dueUs: integer,
  sentUs: orNull(integer),
  connectedUs: orNull(integer),
  firstByteUs: orNull(integer),
  doneUs: integer,
  method: oneOf(methods),
  path: text,
  requestId: text,
  connection: oneOf(connectionKinds),
  outcome: {
    admits: (value) => typeof value === 'string' && isOutcome(value),
    words: `one of ${plainOutcomes.join(', ')} or status-NNN`,
  },
  status: orNull(integer),
  bytes: integerFrom(0),
  bodyCrc32: orNull(integerFrom(0)),
  instance: orNull(text),
  version: orNull(text),
  error: orNull(text),
  hasNoLength: optional({ admits: (value) => value === true, words: 'true' }),
  rttUs: optional(integerFrom(0)),
});

const isMethod = (word: string): boolean => methods.some((method) => method === word);
const isConnection = (word: string): boolean => connectionKinds.some((kind) => kind === word);

const keys = {
  trial: keyOf('trial'),
  seq: keyOf('seq'),
  dueUs: keyOf('dueUs'),
  sentUs: keyOf('sentUs'),
  connectedUs: keyOf('connectedUs'),
  firstByteUs: keyOf('firstByteUs'),
  doneUs: keyOf('doneUs'),
  method: keyOf('method', isMethod),
  path: keyOf('path'),
  requestId: keyOf('requestId'),
  connection: keyOf('connection', isConnection),
  outcome: keyOf('outcome', isOutcome),
  status: keyOf('status'),
  bytes: keyOf('bytes'),
  bodyCrc32: keyOf('bodyCrc32'),
  instance: keyOf('instance'),
  version: keyOf('version'),
  error: keyOf('error'),
};

/** A row as the load generator writes nearly all: without the fields that few have. */
function rowOf(line: LineReader): LedgerRow {
  return {
    trial: line.integer(keys.trial),
    seq: line.integer(keys.seq),
    dueUs: line.integer(keys.dueUs),
    sentUs: line.integerOrNull(keys.sentUs),
    connectedUs: line.integerOrNull(keys.connectedUs),
    firstByteUs: line.integerOrNull(keys.firstByteUs),
    doneUs: line.integer(keys.doneUs),
    method: line.word(keys.method) as Method,
    path: line.word(keys.path),
    requestId: line.text(keys.requestId),
    connection: line.word(keys.connection) as LedgerRow['connection'],
    outcome: line.word(keys.outcome) as Outcome,
    status: line.integerOrNull(keys.status),
    bytes: line.integer(keys.bytes),
    bodyCrc32: line.integerOrNull(keys.bodyCrc32),
    instance: line.wordOrNull(keys.instance),
    version: line.wordOrNull(keys.version),
    error: line.wordOrNull(keys.error),
  };
}

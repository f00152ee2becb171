/** holds.ndjson.gz: connections that were held open beside the load, a row for each life of one; written by the load generator. */
import { holdKinds } from '../../experiment/hold.ts';
import { integer, integerFrom, oneOf, optional, orNull, text, type RecordOf } from './fields.ts';
import { runFiles } from '../run-folder.ts';

/** How a life may end. */
export const holdEnds = [
  'end-of-load',
  'close-frame',
  'complete',
  'fin',
  'rst',
  'cut',
  'refused',
  'timeout',
  'unreachable',
  'tls',
  'status',
  'parse',
  'local',
] as const;
export type HoldEnd = (typeof holdEnds)[number];

/** Each holder has one connection at a time, and opens it again when it ends: each time is a life. */
export const holdsFile = {
  name: runFiles.holds,
  what: 'life of a held connection',
  about:
    'Connections that were held open beside the load (--hold): a row for each life of one, in the order in which they ended.',
  fields: {
    holder: integerFrom(1, 'Which of the connections, from 1.'),
    generation: integerFrom(1, 'Its life, from 1: after each end it is opened again.'),
    kind: oneOf(holdKinds, 'What was held (--hold-kind).'),
    begunUs: integer('When it began to connect, µs since the origin.'),
    openedUs: orNull(
      integer(
        'When it was open, µs: an event stream’s or slow answer’s head had come, the web socket was agreed on, the request of ' +
          'an idle connection was answered. null when it never was.',
      ),
    ),
    messages: integerFrom(0, 'Whole events or web socket messages that came; 0 of the other kinds.'),
    bytes: integerFrom(0, 'Bytes of the answer’s body, or of web socket messages, that came.'),
    lastMessageUs: orNull(integer('When the last message came, or the last bytes of a slow answer, µs; null: none.')),
    endedUs: integer('When its end was known, µs.'),
    ending: oneOf(
      holdEnds,
      'How it ended. end-of-load: by the client, since the load was over. close-frame: the service said goodbye, with a ' +
        'code. complete: its answer came to its end. fin, rst: the service closed or reset the connection between messages. ' +
        'cut: in the middle of a message, or of an answer (error says by what). The others, of one that was never open, as in ' +
        'the ledger (glossary.md); status: the answer had another status than the kind needs. parse: what came is not of the ' +
        'protocol.',
    ),
    error: orNull(text("The system's word for what ended it, with the step: connect, handshake, wait or open.")),
    status: optional(integer('Status of the answer, where the ending is `status`.')),
    closeCode: optional(integer('Code of the close frame; 1005 where it has none.')),
  },
} as const;

/** One line. */
export type HoldRow = RecordOf<(typeof holdsFile)['fields']>;

/** Did the service end it after it had been open? */
export function isEndedByService({ openedUs, ending }: Pick<HoldRow, 'openedUs' | 'ending'>): boolean {
  return openedUs !== null && ending !== 'end-of-load' && ending !== 'local';
}

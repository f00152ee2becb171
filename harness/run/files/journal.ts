/** Reads what `journalctl -o json` gives of the site's unit: systemd's own lines, and the site's events. */
import { recordsIn, type Field } from './fields.ts';
import { runFiles } from '../run-folder.ts';

/** A line of the journal, of the fields that are read. */
export interface JournalLine {
  /** CLOCK_MONOTONIC microseconds at which journald received it. */
  readonly atMonotonicUs: number;
  readonly message: string;
  /** systemd's id of the kind of message, where it is systemd's. */
  readonly messageId: string | undefined;
  readonly unit: string | undefined;
}

/** systemd's message ids (systemd-messages.h): the words may be translated, the ids are not. */
export const messageIds = {
  unitStarting: '7d4958e842da4a758f6c1cdc7b36dcc5',
  unitStarted: '39f53479d3a045ac8e11786248231fbf',
  unitStopping: 'de5b426a63be47a7b6ac3eaac82e2f6f',
  unitStopped: '9d1aaa27d60140bd96365438aad20286',
  unitSucceeded: '7ad2d189f7e94e70a38c781354912448',
  unitFailed: 'd9b373ed55a64feb8242e02dbe79a49c',
  processExited: '98e322203f7a4ed290d09fe03c09fe15',
  restartScheduled: '5eb03494b6584870a536b337290809b3',
} as const;

/** What systemd says just before it sends the signal that nobody survives; these words have no id of their own. */
export const killingWords = /: Killing process \d+ \(.*\) with signal SIGKILL\.$/u;

/** An event that the site reported of itself (app-under-test writes them as JSON on stderr). */
export interface SiteEvent {
  readonly event: string;
  readonly atMonotonicUs: number;
  readonly version: string;
  readonly instance: string;
  readonly [detail: string]: unknown;
}

const digits: Field<string> = {
  about: 'When journald received it, CLOCK_MONOTONIC, µs, in digits.',
  admits: (value) => typeof value === 'string' && /^\d{1,15}$/u.test(value),
  words: 'a text of digits',
  type: 'VARCHAR',
};

/** Of an entry only the stamp is journald's own: any program may have written the rest, or left it out. */
export const journalFile = {
  name: runFiles.journal,
  what: 'entry of a journal',
  about:
    "The journal of the site's units, as `journalctl -o json` gives it: systemd's words and the site's own events. Of a " +
    "service of your own, with --journal: only systemd's words about its units.",
  fields: { __MONOTONIC_TIMESTAMP: digits },
} as const;

/**
 * @param path named where a line is wrong
 * @throws {HarnessError} when a line is no JSON, or no entry of a journal
 */
export function parseJournal(text: string, path: string): JournalLine[] {
  return recordsIn(journalFile, text, path).map((entry) => {
    const fields: Readonly<Record<string, unknown>> = entry;
    const message = fields['MESSAGE'];
    const wordIn = (name: string): string | undefined => {
      const value = fields[name];
      return typeof value === 'string' ? value : undefined;
    };
    return {
      atMonotonicUs: Number(fields['__MONOTONIC_TIMESTAMP']),
      // Bytes that are no UTF-8 come as an array of numbers.
      message: Array.isArray(message) ? Buffer.from(message as number[]).toString('latin1') : String(message),
      messageId: wordIn('MESSAGE_ID'),
      unit: wordIn('UNIT') ?? wordIn('_SYSTEMD_UNIT'),
    };
  });
}

/** The site's own event on this line, if it is one. */
export function siteEventOf(line: JournalLine): SiteEvent | undefined {
  if (!line.message.startsWith('{')) return undefined;
  try {
    const event = JSON.parse(line.message) as Partial<SiteEvent>;
    return typeof event.event === 'string' && Number.isFinite(event.atMonotonicUs) ? (event as SiteEvent) : undefined;
  } catch {
    return undefined;
  }
}

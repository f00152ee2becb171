/** Reads what `journalctl -o json` gives of the site's unit: systemd's own lines, and the site's events. */

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
} as const;

/** An event that the site reported of itself (app-under-test writes them as JSON on stderr). */
export interface SiteEvent {
  readonly event: string;
  readonly atMonotonicUs: number;
  readonly version: string;
  readonly instance: string;
  readonly [detail: string]: unknown;
}

/** @throws {SyntaxError} when a line is no JSON */
export function parseJournal(text: string): JournalLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = JSON.parse(line) as Record<string, unknown>;
      const message = fields['MESSAGE'];
      return {
        atMonotonicUs: Number(fields['__MONOTONIC_TIMESTAMP']),
        // Bytes that are no UTF-8 come as an array of numbers.
        message: Array.isArray(message) ? Buffer.from(message as number[]).toString('latin1') : String(message),
        messageId: typeof fields['MESSAGE_ID'] === 'string' ? fields['MESSAGE_ID'] : undefined,
        unit: typeof fields['UNIT'] === 'string' ? fields['UNIT'] : (fields['_SYSTEMD_UNIT'] as string | undefined),
      };
    });
}

/** The site's own event on this line, if it is one. */
export function siteEventOf(line: JournalLine): SiteEvent | undefined {
  if (!line.message.startsWith('{')) return undefined;
  try {
    const event = JSON.parse(line.message) as Partial<SiteEvent>;
    return typeof event.event === 'string' && typeof event.atMonotonicUs === 'number'
      ? (event as SiteEvent)
      : undefined;
  } catch {
    return undefined;
  }
}

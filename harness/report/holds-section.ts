/** What became of the connections that were held open beside the load. */
import { endingsText, stepsText } from '../verdict/service/held-text.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { countedBy, countsText, inMs, paragraphs, tableOf } from './format.ts';

/** A row for each restart, and one for all; nothing where no connection was held. */
export function holdsSection({ holds }: Verdict): string {
  if (holds === undefined) return '';
  const { kind, path, connections, lives, opened, messages, bytes, failedTries, perRestart } = holds;
  const rows = [...perRestart, { ...holds, restart: '**all**', open: null }];
  return paragraphs(
    '## Held connections',
    `${connections} connections (${kind}, GET ${path}) were held open beside the load, each opened again when it ended: ` +
      `${lives} tries, of which ${opened} came to be open; ${messages} messages, ${bytes} bytes. Tries that failed: ` +
      `${countsText(failedTries)}.`,
    tableOf(rows, [
      ['restart', ({ restart }) => restart],
      ['open when it began', ({ open }) => open],
      ['ended by the service', ({ ended }) => ended],
      ['how', (row) => endingsText(row) || null],
      ['when', (row) => stepsText(row) || null],
      ['longest until open again', ({ longestBackMs }) => inMs(longestBackMs)],
      ['not open again', ({ notBack }) => notBack],
    ]),
    'The service refuses from the last request on a new connection that it answered to the first that it answers again: the ' +
      'rate sets how exact that is. A try comes 0.1 s after an end, and after failed ones up to 1 s, which is part of the time ' +
      `until one is open again. ${countedBy('hold-totals', 'hold-ends', 'hold-open', 'hold-failures')} One by one: the view ` +
      '`held`.',
  );
}

/** Of a mix that the user wrote: what became of each of its requests. */
import type { RequestVerdict, Verdict } from '../verdict/record/verdict.ts';
import { countedByColumn, countsText, inMs, paragraphs, tableOf, type Columns } from './format.ts';

/** A row for each request; nothing where there is only one. */
export function requestsSection({ perRequest }: Verdict): string {
  if (perRequest === undefined) return '';
  const columns: Columns<RequestVerdict> = [
    ['request', ({ request }) => request],
    ['asks', ({ method, path }) => `${method} ${path}`],
    ['due', ({ due }) => due, 'request-outcomes'],
    ['dropped', ({ dropped }) => dropped, 'request-outcomes'],
    ['outcomes', ({ outcomes }) => countsText(outcomes), 'request-outcomes'],
    perRequest.some(({ missed }) => Object.keys(missed).length > 0) && [
      'wrong by',
      ({ missed }) => countsText(missed),
      'request-missed',
    ],
    ['wait p50', ({ waitP50Ms }) => inMs(waitP50Ms), 'request-waits'],
    ['p99', ({ waitP99Ms }) => inMs(waitP99Ms), 'request-waits'],
    ['longest', ({ longestWaitMs }) => inMs(longestWaitMs), 'request-waits'],
  ];
  return paragraphs('## Request by request', tableOf(perRequest, columns), countedByColumn(columns));
}

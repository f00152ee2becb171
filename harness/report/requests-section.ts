/** Of a mix that the user wrote: what became of each of its requests. */
import type { RequestVerdict, Verdict } from '../verdict/record/verdict.ts';
import { countedByColumn, countsText, inMs, tableOf, type Column } from './format.ts';

/** A row for each request; nothing where there is only one. */
export function requestsSection({ perRequest }: Verdict): string {
  if (perRequest === undefined) return '';
  const columns: Column<RequestVerdict>[] = [
    ['request', ({ request }) => request],
    ['asks', ({ method, path }) => `${method} ${path}`],
    ['due', ({ due }) => String(due), 'request-outcomes'],
    ['dropped', ({ dropped }) => String(dropped), 'request-outcomes'],
    ['outcomes', ({ outcomes }) => countsText(outcomes), 'request-outcomes'],
    ...(perRequest.some(({ missed }) => Object.keys(missed).length > 0) ? [missedColumn] : []),
    ['wait p50', ({ waitP50Ms }) => inMs(waitP50Ms), 'request-waits'],
    ['p99', ({ waitP99Ms }) => inMs(waitP99Ms), 'request-waits'],
    ['longest', ({ longestWaitMs }) => inMs(longestWaitMs), 'request-waits'],
  ];
  return ['## Request by request', tableOf(perRequest, columns), countedByColumn(columns)].join('\n\n');
}

const missedColumn: Column<RequestVerdict> = ['wrong by', ({ missed }) => countsText(missed), 'request-missed'];

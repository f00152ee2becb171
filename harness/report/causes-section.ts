/** Why requests were dropped, and when: each cause with a line of a witness, each window with its events. */
import type { Verdict } from '../verdict/record/verdict.ts';
import { atSeconds, byCount, countedBy, eventText, inMs, listOf, paragraphs, tableOf } from './format.ts';

const mostWindows = 30;

/** Causes, windows of drops, and rows that do not agree; nothing where there are none. */
export function causesSection(verdict: Verdict): string {
  return paragraphs(causesTable(verdict), windowsTable(verdict), disagreementsList(verdict));
}

function causesTable({ reconciliation: { causes, examples }, unexplained }: Verdict): string {
  if (unexplained === null || (unexplained === 0 && Object.keys(causes).length === 0)) return '';
  const example = (cause: string): string => {
    const { seq, file, line, said } = examples[cause] ?? {};
    if (seq === undefined) return '';
    return `row ${seq}, ${file === undefined ? '' : `${file}:${line ?? '?'}`}${said === undefined ? '' : ` (${said})`}`;
  };
  const table = tableOf(
    [...byCount(causes), ['**unexplained**', unexplained] as const],
    [
      ['cause', ([cause]) => cause],
      ['requests', ([, count]) => count],
      ['for example', ([cause]) => example(cause)],
    ],
  );
  return paragraphs('## Why each was dropped', table, countedBy('causes', 'unexplained'));
}

function windowsTable({ dropWindows, experiment, failureKinds }: Verdict): string {
  if (dropWindows.length === 0) return '';
  const moment = (event: Verdict['dropWindows'][number]['openedBy']): string =>
    `${eventText(event)}${event === null ? '' : ` (line ${event.line})`}`;
  const more = dropWindows.length - mostWindows;
  return paragraphs(
    '## When requests were dropped',
    'Each window runs from the moment when its first dropped request was sent' +
      (experiment === 'measure'
        ? ' (where it was under way at the event that opened the window, from that event)'
        : '') +
      ' to the moment when the last was known to have failed' +
      (failureKinds.hang === undefined ? '' : '; one that hung counts where it was sent') +
      '; the events are lines of timeline.ndjson. ' +
      countedBy('drop-windows'),
    tableOf(dropWindows.slice(0, mostWindows), [
      ['from', ({ fromUs }) => atSeconds(fromUs)],
      ['to', ({ toUs }) => atSeconds(toUs)],
      ['lasted', ({ fromUs, toUs }) => inMs((toUs - fromUs) / 1000)],
      ['dropped', ({ dropped }) => dropped],
      ['opened by', ({ openedBy }) => moment(openedBy)],
      ['closed by', ({ closedBy }) => moment(closedBy)],
    ]),
    more > 0 && `verdict.json has ${more} more.`,
  );
}

function disagreementsList({ reconciliation: { disagreements, disagreeing, rows } }: Verdict): string {
  if (disagreements.length === 0) return '';
  return paragraphs(
    '## Rows that do not agree with the other witnesses',
    `${disagreeing} of ${rows}; at most 50 are listed. ${countedBy('reconciliation', 'disagreements')}`,
    listOf(disagreements.map(({ seq, what }) => `row ${seq}: ${what}`)),
  );
}

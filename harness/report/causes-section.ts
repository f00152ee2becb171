/** Why requests were dropped, and when: each cause with a line of a witness, each window with its events. */
import { markdownTable } from 'markdown-table';
import type { Verdict } from '../verdict/verdict.ts';
import { atSeconds, byCount, inMs } from './format.ts';

/** Windows of drops that are listed. */
const mostWindows = 30;

/** Causes, windows of drops, and rows that do not agree; nothing where there are none. */
export function causesSection({ reconciliation, unexplained, dropWindows }: Verdict): string {
  const { causes: of, examples, disagreements, disagreeing, rows } = reconciliation;
  const parts: string[] = [];
  if (unexplained !== null && (unexplained > 0 || Object.keys(of).length > 0)) {
    const body = byCount(of).map(([cause, count]) => {
      const example = examples[cause];
      const where = example?.file === undefined ? '' : `${example.file}:${example.line ?? '?'}`;
      return [cause, String(count), example === undefined ? '' : `row ${example.seq}, ${where}`];
    });
    parts.push(
      '## Why each was dropped',
      markdownTable([['cause', 'requests', 'for example'], ...body, ['**unexplained**', String(unexplained), '']]),
    );
  }
  if (dropWindows.length > 0) parts.push(...windowsTable(dropWindows));
  if (disagreements.length > 0) {
    parts.push(
      '## Rows that do not agree with the other witnesses',
      `${disagreeing} of ${rows}; at most 50 are listed.\n\n` +
        disagreements.map(({ seq, what }) => `- row ${seq}: ${what}`).join('\n'),
    );
  }
  return parts.join('\n\n');
}

function windowsTable(windows: Verdict['dropWindows']): string[] {
  const moment = (of: (typeof windows)[number]['openedBy']): string =>
    of === null ? 'no event was near' : `\`${of.kind}\` at ${atSeconds(of.atUs)} (line ${of.line})`;
  const rows = windows
    .slice(0, mostWindows)
    .map(({ fromUs, toUs, dropped, openedBy, closedBy }) => [
      atSeconds(fromUs),
      atSeconds(toUs),
      inMs((toUs - fromUs) / 1000),
      String(dropped),
      moment(openedBy),
      moment(closedBy),
    ]);
  const left = windows.length - rows.length;
  return [
    '## When requests were dropped',
    'From the sending of the first that was dropped to the moment when the last was known to be; the events are lines of ' +
      'timeline.ndjson.',
    markdownTable([['from', 'to', 'lasted', 'dropped', 'opened by', 'closed by'], ...rows]),
    ...(left === 0 ? [] : [`${left} further windows are in verdict.json.`]),
  ];
}

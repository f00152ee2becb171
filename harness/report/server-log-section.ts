/** What the access logs of a service of the user's say of the drops. */
import { runFiles } from '../run/run-folder.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { byCount, countedBy, paragraphs, tableOf } from './format.ts';

const joinedBy = {
  id: 'by request id: certain',
  time: 'by time, method, path and status: likely',
  'too-coarse': 'not at all: no ids, and stamps that many requests share',
  nothing: 'not at all',
} as const;

/** The section; nothing where no access log was asked for. */
export function serverLogSection({ serverLog, dropped }: Verdict): string {
  if (serverLog === undefined) return '';
  const { logs } = serverLog;
  const told = logs.flatMap(({ path, drops, examples }) =>
    byCount(drops).map(([what, count]) => ({ path, what, count, example: examples[what] })),
  );
  return paragraphs(
    '## What the server’s log says of the drops',
    tableOf(logs, [
      ['log', ({ path }) => path],
      ['format', ({ formats }) => formats.join(', ') || 'not known'],
      ['lines', ({ lines }) => lines],
      ['of this load', ({ ours }) => ours],
      ['not understood', ({ notUnderstood }) => notUnderstood],
      ['joined', ({ joined }) => joinedBy[joined]],
    ]),
    told.length === 0 && (dropped === 0 ? 'Nothing was dropped.' : 'Nothing: see “To be known”.'),
    told.length > 0 &&
      tableOf(told, [
        logs.length > 1 && ['log', ({ path }) => path],
        ['the log says', ({ what }) => what],
        ['requests', ({ count }) => count],
        ['for example', ({ example }) => exampleText(example)],
      ]),
    told.length > 0 && countedBy('server-log-drops'),
    'Lines of others were counted and not kept. The counts above are the client’s: a log explains them, and changes none.',
  );
}

function exampleText(example: { seq: number; line?: number | undefined } | undefined): string {
  if (example === undefined) return '';
  return `row ${example.seq}${example.line === undefined ? '' : `, ${runFiles.serverLog}:${example.line}`}`;
}

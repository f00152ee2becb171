/** What the access logs of a service of the user's say of the drops. */
import { runFiles } from '../run/run-folder.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { byCount, countedBy, tableOf, type Column } from './format.ts';

const joinedBy = {
  id: 'by request id: certain',
  time: 'by time, method, path and status: likely',
  'too-coarse': 'not at all: no ids, and stamps that many requests share',
  nothing: 'not at all',
} as const;

interface Told {
  readonly path: string;
  readonly what: string;
  readonly count: number;
  readonly example: Example | undefined;
}

interface Example {
  readonly seq: number;
  readonly line?: number | undefined;
}

const logColumn: Column<Told> = ['log', ({ path }) => path];

/** The section; nothing where no access log was asked for. */
export function serverLogSection({ serverLog, dropped }: Verdict): string {
  if (serverLog === undefined) return '';
  const { logs } = serverLog;
  const told = logs.flatMap(({ path, drops, examples }) =>
    byCount(drops).map(([what, count]): Told => ({ path, what, count, example: examples[what] })),
  );
  return [
    '## What the server’s log says of the drops',
    tableOf(logs, [
      ['log', ({ path }) => path],
      ['format', ({ formats }) => formats.join(', ') || 'not known'],
      ['lines', ({ lines }) => String(lines)],
      ['of this load', ({ ours }) => String(ours)],
      ['not understood', ({ notUnderstood }) => String(notUnderstood)],
      ['joined', ({ joined }) => joinedBy[joined]],
    ]),
    ...(told.length === 0
      ? [dropped === 0 ? 'Nothing was dropped.' : 'Nothing: see “To be known”.']
      : [
          tableOf(told, [
            ...(logs.length > 1 ? [logColumn] : []),
            ['the log says', ({ what }) => what],
            ['requests', ({ count }) => String(count)],
            ['for example', ({ example }) => exampleText(example)],
          ]),
          countedBy('server-log-drops'),
        ]),
    'Lines of others were counted and not kept. The counts above are the client’s: a log explains them, and changes none.',
  ].join('\n\n');
}

function exampleText(example: Example | undefined): string {
  if (example === undefined) return '';
  return `row ${example.seq}${example.line === undefined ? '' : `, ${runFiles.serverLog}:${example.line}`}`;
}

/** What was counted: every request, every restart, every write. */
import { markdownTable } from 'markdown-table';
import type { Tally, Verdict } from '../verdict/verdict.ts';
import { byName, inMs, inOrder, orUnknown, signed } from './format.ts';

/** The section "Expected and measured". */
export function expectationsSection({ expectations: rows }: Verdict): string {
  const body = rows.map(({ what, expected, measured, met, because }) => [
    what,
    expected,
    measured,
    met ? 'yes' : '**no**',
    because,
  ]);
  return `## Expected and measured\n\n${markdownTable([['what', 'expected', 'measured', 'met', 'because'], ...body])}`;
}

/** Counts by method and connection, and the figures beside them. */
export function countsSection(verdict: Verdict): string {
  const whole: Tally = verdict;
  const parts: [string, Tally][] = [
    ['all', whole],
    ...Object.entries(verdict.byMethod),
    ...Object.entries(verdict.byConnection).map(([kind, tally]): [string, Tally] => [`${kind} connections`, tally]),
    ...byName(verdict.byKind),
  ];
  const outcomes = Object.keys(verdict.outcomes).sort((a, b) => (a === 'ok' ? -1 : b === 'ok' ? 1 : inOrder(a, b)));
  const rows = parts.map(([name, tally]) => [
    name,
    String(tally.due),
    String(tally.sent),
    ...outcomes.map((outcome) => String(tally.outcomes[outcome] ?? 0)),
    String(tally.dropped),
  ]);
  const { predicted } = verdict;
  const atRisk = Object.entries(verdict.atRisk.byMethod)
    .map(([method, { due, dropped }]) => `${dropped} of ${due} ${method}`)
    .join(', ');
  const difference = predicted.differencePercent === null ? '' : ` (measured ${signed(predicted.differencePercent)} %)`;
  return [
    `## Every due request, counted once`,
    markdownTable([['requests', 'due', 'sent', ...outcomes, 'dropped'], ...rows]),
    `Predicted from timeline and options alone: ${predicted.formula}${difference}. ` +
      `At risk (from the deploy until the new process answers): ${verdict.atRisk.dropped} of ${verdict.atRisk.due} dropped` +
      `${atRisk === '' ? '' : ` (${atRisk})`}. Stale answers: ${verdict.stale}. ` +
      `A client that sends idempotent requests again would have done so ${verdict.retryingClient.resent} times and, at ` +
      `best, seen ${verdict.retryingClient.droppedAtBest} failures (computed, never sent). ` +
      `Longest time in which no request due in it was answered: ${inMs(verdict.gapMs)}, right to one ` +
      `slot (${(1000 / verdict.schedule.ratePerSecond).toFixed(1)} ms) either way. Longest wait for an ok answer, less what the ` +
      `request itself asked for: ${inMs(verdict.longestWaitMs)}.`,
  ].join('\n\n');
}

/** A row for each restart; nothing where there was none. */
export function restartsSection({ perRestart, longestWaitMs, longestOutageMs, direct }: Verdict): string {
  if (perRestart.length === 0) return '';
  // Of a service of one's own nobody sees when its port is closed, and nothing predicts its drops.
  const hasWindow = perRestart.some(
    ({ outageMs, inFlightAtSigterm }) => outageMs !== null || inFlightAtSigterm !== null,
  );
  const hasQueue = perRestart.some(({ expectedQueue }) => expectedQueue !== null);
  const rows = perRestart.map((row) => [
    row.voided ? `${row.restart} (void)` : String(row.restart),
    (row.deployBeginUs / 1e6).toFixed(3),
    ...(hasWindow
      ? [
          row.outageEnded === false ? `${inMs(row.outageMs)}, not ended` : inMs(row.outageMs),
          orUnknown(row.dueInOutage),
          orUnknown(row.inFlightAtSigterm),
          row.predictedDropped === null ? '–' : row.predictedDropped.toFixed(0),
        ]
      : []),
    String(row.droppedInRestart),
    byName(row.droppedByKind)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(', ') || '–',
    inMs(row.longestWaitMs),
    ...(hasQueue ? [`${row.longestQueue ?? '–'} (${row.expectedQueue?.toFixed(0) ?? '–'})`] : []),
  ]);
  const head = [
    'restart',
    'began, s',
    ...(hasWindow ? ['outage window', 'due in it', 'in flight at SIGTERM', 'predicted'] : []),
    'dropped',
    'of which',
    'longest wait',
    ...(hasQueue ? ['most queued (expected)'] : []),
  ];
  return (
    `## Restart by restart\n\n${markdownTable([head, ...rows])}\n\n` +
    (hasWindow
      ? 'The outage window runs from the last accept of the old process to the first accept of the new one. '
      : '') +
    'A restart is void when a request that was due in it left more than 50 ms late: it proves nothing, but what it dropped counts.' +
    shorterWaitText({ longestWaitMs, longestOutageMs, direct })
  );
}

/** Why nobody waited as long as the port was closed, where that is so; nothing else. */
function shorterWaitText({
  longestWaitMs,
  longestOutageMs,
  direct,
}: Pick<Verdict, 'longestWaitMs' | 'longestOutageMs' | 'direct'>): string {
  if (longestWaitMs === null || longestOutageMs === null || longestWaitMs >= longestOutageMs) return '';
  const directMs = direct?.longestWaitMs ?? null;
  const without = directMs === null ? '' : ` Straight to the site's port the longest wait was ${inMs(directMs)}.`;
  return (
    ` The longest wait (${inMs(longestWaitMs)}) is shorter than the longest outage window (${inMs(longestOutageMs)}): a ` +
    `draining process accepts no new connection, and still answers on those that its clients keep.${without}`
  );
}

/** What became of the writes; nothing where the database was not read. */
export function writesSection({ writes: of }: Verdict): string {
  if (of === null) return '';
  const { busy, examples } = of;
  const rows = [
    ['acknowledged (2xx)', of.acknowledged],
    ['failed (surely not applied)', of.failed],
    ['indeterminate', of.indeterminate],
    ['indeterminate, and in the database', of.recovered],
    ['**lost**: acknowledged, and not in the database', of.lost],
    ['**early**: acknowledged, and written only after the site had answered', of.early],
    ['**altered**: in the database with another text than was sent', of.altered],
    ['**duplicated**: more than once in the database', of.duplicated],
    ['**misattributed**: failed, and in the database', of.misattributed],
    ['unexpected: in the database, and never sent', of.unexpected],
  ].map(([what, number]) => [String(what), String(number)]);
  const named = Object.entries(examples).filter(([, ids]) => ids.length > 0);
  return [
    '## Writes',
    'What the client was told, beside what the database held when every process had stopped.',
    markdownTable([['writes', 'number'], ...rows]),
    ...named.map(([what, ids]) => `${what}: ${ids.map((id) => `\`${id}\``).join(', ')}`),
    `integrity_check: ${of.integrity}. SQLITE_BUSY: ${busy.refused}` +
      (busy.refused === 0
        ? ''
        : `, after ${inMs(busy.shortestRefusalMs)} to ${inMs(busy.longestRefusalMs)} of waiting for the lock`) +
      `. Waits for the lock above 5 ms: ${busy.waits}, the longest ${inMs(busy.longestWaitMs)}.`,
  ].join('\n\n');
}

/** What the probe of the site’s own port saw; nothing where there was none. */
export function directSection({ direct: of }: Verdict): string {
  if (of === null) return '';
  const outcomes = byName(of.outcomes)
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(', ');
  return (
    `## Straight to the site's own port\n\n${of.ratePerSecond} requests a second from the server itself, each on a ` +
    `connection of its own: ${of.due} due, ${outcomes}, longest wait ${inMs(of.longestWaitMs)}. A refused connection, ` +
    'or a SYN that finds the queue full and is sent again a second later, is seen here as what it is; a proxy shows ' +
    '502 for the one, and answers on another connection meanwhile for the other.'
  );
}

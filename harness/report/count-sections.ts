/** What was counted: every request, every restart, every write. Each figure is declared once, with its query. */
import { present } from '../base/present.ts';
import { counted } from '../base/counted.ts';
import { voidMeaning } from '../experiment/load-schedule.ts';
import type { RunRecord } from '../run/run-record.ts';
import { isVoid, type RestartVerdict, type Tally, type Verdict } from '../verdict/record/verdict.ts';
import {
  byName,
  countedBy,
  countedByColumn,
  countsText,
  figuresTable,
  inMs,
  inOrder,
  paragraphs,
  signed,
  tableOf,
  type Column,
  type Columns,
  type Figure,
} from './format.ts';

/** The section "Expected and measured". */
export function expectationsSection({ expectations }: Verdict): string {
  const table = tableOf(expectations, [
    ['what', ({ what }) => what],
    ['expected', ({ expected }) => expected],
    ['measured', ({ measured }) => measured],
    ['met', ({ met, known }) => (known === false ? 'not known' : met ? 'yes' : '**no**')],
    ['because', ({ because }) => because],
  ]);
  return paragraphs('## Expected and measured', table);
}

/** Counts by method and connection, and the figures beside them. */
export function countsSection(verdict: Verdict): string {
  type Part = readonly [name: string, tally: Tally];
  const parts: Part[] = [
    ['all', verdict],
    ...Object.entries(verdict.byMethod),
    ...Object.entries(verdict.byConnection).map(([kind, tally]): Part => [`${kind} connections`, tally]),
    ...byName(verdict.byKind),
  ];
  const outcomes = Object.keys(verdict.outcomes).sort((a, b) => (a === 'ok' ? -1 : b === 'ok' ? 1 : inOrder(a, b)));
  const table = tableOf(parts, [
    ['requests', ([name]) => name],
    ['due', ([, { due }]) => due],
    ['sent', ([, { sent }]) => sent],
    ...outcomes.map((outcome): Column<Part> => [outcome, ([, tally]) => tally.outcomes[outcome] ?? 0]),
    ['dropped', ([, { dropped }]) => dropped],
  ]);
  return paragraphs(
    '## Every due request, counted once',
    table,
    countedBy('outcomes'),
    figuresTable(requestFigures(verdict)),
  );
}

function requestFigures({
  experiment,
  predicted,
  atRisk,
  stale,
  retryingClient,
  gapMs,
  longestWaitMs,
  schedule,
  perSite,
  serverLog,
  keptReuse,
}: Verdict): (Figure | false)[] {
  const from = perSite === undefined ? 'the deploy' : 'the restart of their site';
  // Of a service of one's own nobody sees which process answers: the command's end is the earliest.
  const atRiskTime =
    experiment === 'measure'
      ? 'from the begin of the command until it has ended and the service answers steadily'
      : `from ${from} until the new process answers`;
  const byMethod = Object.entries(atRisk.byMethod).map(
    ([method, { due, dropped }]) => `${dropped} of ${due} ${method}`,
  );
  const difference = predicted.differencePercent === null ? '' : ` (measured ${signed(predicted.differencePercent)} %)`;
  const slotMs = (1000 / schedule.ratePerSecond).toFixed(1);
  return [
    keptReuse !== undefined && [
      'kept connections: answers outside of restarts that came on a connection used before',
      `${keptReuse.reused} of ${keptReuse.answered}`,
      'kept-reuse',
    ],
    ['predicted from timeline and options alone', `${predicted.formula}${difference}`],
    [
      `dropped of those at risk: due ${atRiskTime}`,
      `${atRisk.dropped} of ${atRisk.due}${byMethod.length === 0 ? '' : ` (${byMethod.join(', ')})`}`,
      'at-risk',
    ],
    ['stale answers', stale ?? 'not known: ok answers do not show each version', 'stale'],
    [
      'a client that sends idempotent requests again (computed, never sent)',
      `would resend ${retryingClient.resent} and see ${counted(retryingClient.droppedAtBest, 'failure')} at best`,
      'totals',
    ],
    serverLog !== undefined && [
      'dropped POSTs and PATCHes that the server’s log shows as processed: a retry would have doubled them',
      processedText(serverLog.processedWrites),
      'server-log-processed',
    ],
    ['longest time in which no request due in it was answered', `${inMs(gapMs)}, ± one slot (${slotMs} ms)`, 'silence'],
    ['longest wait for an ok answer, less what the request itself asked for', inMs(longestWaitMs), 'totals'],
  ];
}

/** What a retry would have done that the computed client does not make. */
function processedText({ certain, likely }: NonNullable<Verdict['serverLog']>['processedWrites']): string {
  return `${certain}${likely === 0 ? '' : `, and likely ${likely} more`}`;
}

/** A row for each restart; nothing where there was none. */
export function restartsSection(run: RunRecord, verdict: Verdict): string {
  const { perRestart } = verdict;
  if (perRestart.length === 0) return '';
  // Of a service of one's own nobody sees when its port is closed, and nothing predicts its drops.
  const hasJournal = verdict.journal !== undefined;
  const hasWindow =
    !hasJournal &&
    perRestart.some(({ outageMs, inFlightAtSigterm }) => outageMs !== null || inFlightAtSigterm !== null);
  const hasSites = verdict.perSite !== undefined;
  const hasRollBack = perRestart.some(({ rollBackUs }) => rollBackUs !== undefined);
  const columns: Columns<RestartVerdict> = [
    ['restart', (row) => `${row.restart}${isVoid(row) ? ' (void)' : ''}`, 'restart-load'],
    hasSites && ['site', ({ site = '' }) => site],
    hasSites && ['deploy', ({ deploy = '' }) => deploy],
    ['began, s', ({ siteBeginUs, deployBeginUs }) => ((siteBeginUs ?? deployBeginUs) / 1e6).toFixed(3)],
    hasWindow && ['outage window', outageText],
    hasWindow && ['due in it', ({ dueInOutage }) => dueInOutage, 'restart-load'],
    (hasWindow || hasJournal) && [
      'in flight at SIGTERM',
      ({ inFlightAtSigterm }) => inFlightAtSigterm,
      'restart-in-flight',
    ],
    hasWindow && ['predicted', ({ predictedDropped }) => predictedDropped?.toFixed(0) ?? null],
    ['dropped', ({ droppedInRestart }) => droppedInRestart, 'restart-drops'],
    ['of which', ({ droppedByKind }) => countsText(droppedByKind), 'restart-drops'],
    ['longest wait', ({ longestWaitMs }) => inMs(longestWaitMs), 'restart-load'],
    hasRollBack && ['taken back at, s', ({ rollBackUs: us }) => (us === undefined ? null : (us / 1e6).toFixed(3))],
    hasRollBack && ['served again after', ({ restoredAfterMs: ms }) => (ms === undefined ? null : inMs(ms))],
    perRestart.some(({ expectedQueue }) => expectedQueue !== null) && [
      'most queued (expected)',
      ({ longestQueue, expectedQueue }) => `${longestQueue ?? '–'} (${expectedQueue?.toFixed(0) ?? '–'})`,
      'restart-queues',
    ],
  ];
  const notes = [
    hasWindow && 'The outage window runs from the last accept of the old process to the first accept of the new one.',
    voidMeaning,
    sparesText(run, perRestart),
    hasSites &&
      'Restarts are counted over all sites, in the order of the sites; each began when its deploy came to its site.',
    shorterWaitText(verdict),
  ];
  return paragraphs(
    '## Restart by restart',
    tableOf(perRestart, columns),
    countedByColumn(columns),
    present(notes).join(' '),
  );
}

function outageText({ outageMs, outageEnded }: RestartVerdict): string {
  return `${inMs(outageMs)}${outageEnded === false ? ', not ended' : ''}`;
}

/** Why there are more restarts than were asked for, where that is so; nothing else. */
function sparesText(run: RunRecord, perRestart: Verdict['perRestart']): string | false {
  // Of several sites each deploy restarts many.
  const made = new Set(perRestart.map(({ deploy, restart }) => deploy ?? restart)).size;
  const what = perRestart.some(({ deploy }) => deploy !== undefined) ? 'deploys' : 'restarts';
  const asked = run.kind === 'experiment' ? run.experiment.deploy.restarts : made;
  const spares = made - asked;
  return (
    spares > 0 &&
    `${made} ${what} were made: the ${asked} that were asked for, and ${spares} spare ` +
      `${spares === 1 ? 'one' : 'ones'}, since requests left late during as many of them.`
  );
}

/** Why nobody waited as long as the port was closed, where that is so; nothing else. */
function shorterWaitText({ dropped, longestWaitMs, longestOutageMs, direct }: Verdict): string | false {
  // Whoever was refused did not wait.
  if (dropped > 0 || longestWaitMs === null || longestOutageMs === null || longestWaitMs >= longestOutageMs)
    return false;
  const directMs = direct?.longestWaitMs ?? null;
  return (
    `The longest wait (${inMs(longestWaitMs)}) is shorter than the longest outage window (${inMs(longestOutageMs)}): a ` +
    'draining process accepts no new connection, and still answers on those that its clients keep.' +
    (directMs === null ? '' : ` Straight to the site's port the longest wait was ${inMs(directMs)}.`)
  );
}

const notKnown = 'not known';

function busyFigures(busy: NonNullable<Verdict['writes']>['busy']): Figure[] {
  if (busy === null) return [];
  return [
    [
      'SQLITE_BUSY',
      busy.refused === 0
        ? 0
        : `${busy.refused}, after ${inMs(busy.shortestRefusalMs)} to ${inMs(busy.longestRefusalMs)} of waiting for the lock`,
      'busy',
    ],
    ['waits for the lock above 5 ms', `${busy.waits}, the longest ${inMs(busy.longestWaitMs)}`, 'busy'],
  ];
}

/** What became of the writes; nothing where the database was not read. */
export function writesSection({ writes }: Verdict): string {
  if (writes === null) return '';
  const { busy, examples } = writes;
  const figures: Figure[] = [
    ['acknowledged (2xx)', writes.acknowledged, 'writes'],
    ['failed (surely not applied)', writes.failed, 'writes'],
    ['indeterminate', writes.indeterminate, 'writes'],
    ['indeterminate, and in the database', writes.recovered, 'writes'],
    ['**lost**: acknowledged, and not in the database', writes.lost, 'writes'],
    ['**early**: acknowledged, and written only after the site had answered', writes.early ?? notKnown, 'writes'],
    ['**altered**: in the database with another text than was sent', writes.altered ?? notKnown, 'stored-texts'],
    ['**duplicated**: more than once in the database', writes.duplicated ?? notKnown, 'note-faults'],
    ['**misattributed**: failed, and in the database', writes.misattributed, 'writes'],
    ['unexpected: in the database, and never sent', writes.unexpected, 'note-faults'],
    ['integrity_check', writes.integrity ?? 'not asked', 'database-state'],
    ...busyFigures(busy),
  ];
  const named = Object.entries(examples).filter(([, ids]) => ids.length > 0);
  return paragraphs(
    '## Writes',
    // Only SQLite, asked after the last process, says what state it is in.
    `What the client was told, beside what ${
      writes.integrity === null
        ? 'was found stored afterwards, by the URL or command of service.yaml'
        : 'the database held when every process had stopped'
    }.`,
    figuresTable(figures),
    ...named.map(([what, ids]) => `${what}: ${ids.map((id) => `\`${id}\``).join(', ')}`),
  );
}

/** What the probe of the site’s own port saw; nothing where there was none. */
export function directSection({ direct, perSite }: Verdict): string {
  if (direct === null) return '';
  const ofFirst = perSite?.[0] === undefined ? '' : ` to the first site alone (${perSite[0].site})`;
  return paragraphs(
    "## Straight to the site's own port",
    `${direct.ratePerSecond} requests a second from the server itself${ofFirst}, each on a connection of its own. A refused ` +
      'connection, or a SYN that finds the queue full and is sent again a second later, is seen here as what it is; a ' +
      'proxy shows 502 for the one, and answers on another connection meanwhile for the other.',
    figuresTable([
      ['due', direct.due, 'direct'],
      ['outcomes', countsText(direct.outcomes), 'direct'],
      ['longest wait', inMs(direct.longestWaitMs), 'direct'],
    ]),
  );
}

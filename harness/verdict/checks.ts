/**
 * May this run be trusted? Each check asks one question; its answer is a sentence that says why not and what to do.
 * What the site did wrong is no doubt but a failure (expectations.ts).
 */
import type { EngineEvent } from '../run/engine-events.ts';
import { runFiles } from '../run/run-folder.ts';
import { subjectOf, type RunRecord } from '../run/run-record.ts';
import { controlText, judgeControls } from './controls.ts';
import { isConclusive } from './verdict.ts';
import type { Evidence } from './evidence.ts';
import { pressurePercent } from './pressure.ts';
import { lateAboveMs } from '../experiment/load-schedule.ts';

/** Above this share of the slots, the generator's own failures void the run. */
const ownFaultLimit = 0.001;
/** A schedule this late, at the 99th percentile, is not the load that was asked for. */
const lagP99LimitMs = 5;
/** A single request this late means that the generator stood still, and may have missed what it should have met. */
const lagMaxLimitMs = 100;
/** More voided restarts than one in so many void the run. */
const oneVoidIn = 5;
/** Above this share of rows that witnesses do not confirm, the run is void. */
const disagreementLimit = 0.0001;
/** A wall clock that moved this far against the monotonic one breaks the join with the proxy's log. */
const clockStepLimitMs = 20;

/** What a doubt is about. `machine`: the load was not on time, which no proven drop depends on. */
export type DoubtKind =
  | 'nothing'
  | 'ill-before'
  | 'deploy'
  | 'unchanged'
  | 'machine'
  | 'instrument'
  | 'control'
  | 'witness'
  | 'engine'
  | 'claim';

/** Why a run cannot be trusted. */
export interface Doubt {
  readonly kind: DoubtKind;
  readonly why: string;
}

/** What the checks look at. */
export type Checked = Pick<
  Evidence,
  | 'run'
  | 'hasChanged'
  | 'windows'
  | 'ledger'
  | 'proxy'
  | 'proxyTries'
  | 'writes'
  | 'reconciliation'
  | 'waits'
  | 'engine'
  | 'kernel'
  | 'controls'
  | 'calibration'
  | 'witnessDoubts'
>;

type Answer = string | readonly string[] | null;

/** Every check, in the order in which its answer is told. */
const checks: readonly (readonly [kind: DoubtKind, answer: (of: Checked) => Answer])[] = [
  ['nothing', nothingAsked],
  ['ill-before', illBefore],
  ['deploy', ({ run }) => run.troubles],
  ['engine', ({ engine }) => engineTroubles(engine)],
  ['instrument', uncalibrated],
  ['control', failedControls],
  ['unchanged', unchanged],
  ['machine', slowTransit],
  ['witness', proxyLogsDisagree],
  ['instrument', unbalanced],
  ['machine', ownFaults],
  ['machine', stoodStill],
  ['machine', voidedRestarts],
  ['machine', lateSchedule],
  ['deploy', restartsMissing],
  ['witness', outageUnseen],
  ['witness', tailUnseen],
  ['witness', proxyDisagrees],
  ['witness', rowsDisagree],
  ['witness', unexplained],
  ['witness', strangeWrites],
  ['witness', clockMoved],
  ['witness', ({ witnessDoubts }) => witnessDoubts],
];

/** Why the run is inconclusive; empty when it is not. */
export function doubtsOf(of: Checked): Doubt[] {
  return checks.flatMap(([kind, answer]) => {
    const why = answer(of) ?? [];
    return (typeof why === 'string' ? [why] : why).map((sentence) => ({ kind, why: sentence }));
  });
}

/** What the engine itself says went wrong: a container that ended, or that nothing more was heard of it. */
export function engineTroubles(engine: readonly EngineEvent[]): string[] {
  return engine.flatMap(({ action, role, detail }, index) => {
    if (action === 'lost')
      return [`The engine was lost during the run (${detail}): see that it stays up, and run again.`];
    if (action !== 'die' && action !== 'oom') return [];
    return [
      `The container \`${role}\` ended during the run (${action} ${detail}; ${runFiles.engineEvents}:${index + 1}): ` +
        'find out what ended it, and run again.',
    ];
  });
}

function nothingAsked({ ledger: { all } }: Checked): Answer {
  if (all.due === 0) return 'No request was due: nothing was measured. Ask for a longer --duration or a higher --rate.';
  return all.sent === 0 && all.dropped === 0 ? 'No request was sent: nothing was measured.' : null;
}

/** What the deploy is blamed for must not have been there before it. */
function illBefore({ run }: Checked): Answer {
  if (run.kind !== 'measure' || run.before === null || run.commandRun) return null;
  const { asked, asExpected, answers, example } = run.before;
  const others = Object.entries(answers)
    .filter(([outcome]) => outcome !== 'ok')
    .map(([outcome, count]) => `${count} × ${outcome}`);
  return (
    `The service was ill before the deploy: ${asked - asExpected} of ${asked} requests before the command were not ` +
    `answered as expected (${others.join(', ')})${example === null ? '' : `; ${example}`}. The command was not run; ` +
    '--even-if-failing runs it all the same.'
  );
}

function unchanged({ run, hasChanged }: Checked): Answer {
  if (run.kind !== 'measure' || !run.service.mustChange || hasChanged !== false) return null;
  return (
    'Nothing of the service was seen to change, as --must-change asks: no request failed, no answer named another ' +
    'instance or version, the same process listens. The command must wait for the end of the deploy.'
  );
}

function uncalibrated({ calibration }: Checked): Answer {
  const wrong = calibration?.wrong[0];
  if (calibration === null || wrong === undefined) return null;
  return (
    `The instrument is not calibrated on this machine: ${calibration.wrong.length} of ${calibration.cases} cases came ` +
    `out wrong (${wrong.case}: ${wrong.sentences.join('; ')}): \`npm run calibrate\` must pass first.`
  );
}

function failedControls({ controls }: Checked): Answer {
  return judgeControls(controls ?? []).flatMap((control, index) => {
    if (control.holds) return [];
    const { role, name, runId, because } = control;
    const why = isConclusive(control) ? '' : ` (${controls?.[index]?.verdict.reasons[0]?.replace(/\.$/u, '') ?? ''})`;
    return `Its control ${role} (${name}, ${runId}) ${controlText(control)}${why}: ${because}.`;
  });
}

function slowTransit(of: Checked): Answer {
  const { transit } = of.waits;
  if (transit.slow === 0) return null;
  return (
    `${transit.slow} answers took more than ${transit.aboveMs} ms between client and proxy, at most ` +
    `${transit.longestMs?.toFixed(0) ?? '?'} ms (first: row ${transit.firstSlowRow ?? '?'}): the proxy or this machine ` +
    `stood still, or the network between them was slow; ${whatToDo(of)}.`
  );
}

function proxyLogsDisagree({ proxyTries }: Checked): Answer {
  if (proxyTries === null) return null;
  const { answers, retries, failedTries } = proxyTries;
  if (answers + retries === failedTries) return null;
  return (
    `The proxy's two logs disagree: ${answers} failed answers and ${retries} further tries in the one or the other, but ` +
    `${failedTries} failed tries in its own log.`
  );
}

function unbalanced({ ledger: { missingSlots, repeatedSlots } }: Checked): Answer {
  if (missingSlots === 0 && repeatedSlots === 0) return null;
  return (
    `The ledger does not balance: ${missingSlots} slots have no row and ${repeatedSlots} have more ` +
    'than one; this is a fault of the harness, or the file was changed.'
  );
}

/** Not those for which there was no connection because the server held them all: that is the server's doing. */
function ownFaults({ ledger: { all, failureKinds } }: Checked): Answer {
  const unsent = (all.outcomes['unsent'] ?? 0) - (failureKinds['connections held'] ?? 0);
  const local = all.outcomes['local'] ?? 0;
  if (unsent + local <= ownFaultLimit * all.due) return null;
  return (
    `The generator could not send ${unsent} requests and failed by itself on ${local} of ${all.due} ` +
    '(limit 0.1 %): lower --rate or run on a machine with more room.'
  );
}

function stoodStill(of: Checked): Answer {
  const { lag } = of.ledger;
  if (lag === null || lag.maxUs <= lagMaxLimitMs * 1000) return null;
  return (
    `A request left ${(lag.maxUs / 1000).toFixed(1)} ms late (limit ${lagMaxLimitMs} ms): the generator stood ` +
    `still; ${whatToDo(of)}.`
  );
}

function voidedRestarts(of: Checked): Answer {
  const { ledger, windows } = of;
  const voided = ledger.perRestart.filter(({ latestUs }) => latestUs > lateAboveMs * 1000).length;
  if (voided * oneVoidIn <= windows.length) return null;
  return (
    `Of ${windows.length} restarts ${voided} met requests that left more than ${lateAboveMs} ms late (limit 1 in ` +
    `${oneVoidIn}): ${whatToDo(of)}.`
  );
}

function lateSchedule(of: Checked): Answer {
  const { lag } = of.ledger;
  if (lag === null || lag.p99Us <= lagP99LimitMs * 1000) return null;
  return (
    `Requests left late: ${(lag.p99Us / 1000).toFixed(1)} ms at the 99th percentile (limit ${lagP99LimitMs} ` +
    `ms); ${whatToDo(of)}.`
  );
}

function restartsMissing({ run, windows }: Checked): Answer {
  const { plannedRestarts } = subjectOf(run);
  if (windows.length >= plannedRestarts || (run.kind === 'measure' && !run.commandRun)) return null;
  return `Only ${windows.length} of ${plannedRestarts} restarts began before the load ended.`;
}

/** Of a service that the user runs nobody tells when it stopped accepting. */
function outageUnseen({ run, windows }: Checked): Answer {
  const told = run.kind === 'experiment' ? windows : [];
  const unseen = told.filter(({ acceptStoppedUs, acceptingUs }) => acceptStoppedUs === null || acceptingUs === null);
  if (unseen.length === 0) return null;
  return `Of restarts ${unseen.map(({ restart }) => restart).join(', ')} the outage window was not seen.`;
}

function tailUnseen({ run, windows }: Checked): Answer {
  const last = run.kind === 'experiment' ? windows.at(-1) : undefined;
  if (last?.readyUs == null || last.readyUs <= run.durationMs * 1000) return null;
  return 'The last restart was ready only after the load had ended: its tail was not seen.';
}

function proxyDisagrees({ proxy }: Checked): Answer {
  if (proxy === null || proxy.missing + proxy.extra + proxy.repeated + proxy.disagreeing === 0) return null;
  return (
    `The proxy's access log and the ledger disagree: ${proxy.missing} requests sent are not in the log, ` +
    `${proxy.extra} in the log were not sent, ${proxy.repeated} arrived more than once, ` +
    `${proxy.disagreeing} were answered otherwise.`
  );
}

function rowsDisagree({ reconciliation: { rows, disagreeing, disagreements } }: Checked): Answer {
  if (disagreeing <= disagreementLimit * rows) return null;
  const [first] = disagreements;
  return (
    `${disagreeing} of ${rows} rows do not agree with themselves or with the other witnesses (limit 0.01 %); ` +
    `the first is row ${first?.seq ?? '?'}: ${first?.what ?? '?'}.`
  );
}

function unexplained({ run, reconciliation: { unexplained: count, unexplainedRows } }: Checked): Answer {
  if (run.kind !== 'experiment' || count === 0) return null;
  return (
    `Of ${count} drops no witness other than the client shows a cause (rows ` +
    `${unexplainedRows.slice(0, 5).join(', ')}${count > 5 ? ' …' : ''}).`
  );
}

function strangeWrites({ run, writes }: Checked): Answer {
  if (writes === null) {
    return run.kind === 'experiment' ? 'The database was not read, so that nothing is known of the writes.' : null;
  }
  const { unexpected, integrity } = writes;
  return [
    ...(unexpected > 0 ? [`The database holds ${unexpected} writes of this load that the ledger does not have.`] : []),
    ...(integrity === 'ok' ? [] : [`SQLite says that the database is damaged: ${integrity}.`]),
  ];
}

/** Only the logs of a lab are joined by the wall clock: of a user's service all times are monotonic. */
function clockMoved({ run }: Checked): Answer {
  if (run.kind !== 'experiment' || run.wallOffsetUs === null) return null;
  const stepMs = (run.wallOffsetUs[1] - run.wallOffsetUs[0]) / 1000;
  if (Math.abs(stepMs) <= clockStepLimitMs) return null;
  return `The engine's wall clock moved by ${stepMs.toFixed(1)} ms during the run (limit ${clockStepLimitMs}).`;
}

/** With how busy the machine was, where that explains something: the share of the run in which a process waited for a CPU. */
function whatToDo({ kernel, run }: { kernel: Checked['kernel']; run: RunRecord }): string {
  const percent = pressurePercent(kernel, run.durationMs);
  const busy =
    percent === null || percent < 10
      ? ''
      : ` (some process waited for a CPU during ${percent.toFixed(0)} % of the run)`;
  return `stop other work on this machine${busy} and run again`;
}

/**
 * May this run be trusted? A table of questions; each answer is a sentence that says why not and what to do.
 * docs/checks.md is made from it.
 * What the site did wrong is no doubt but a failure (expectations.ts).
 */
import { present } from '../base/present.ts';
import type { EngineEvent } from '../run/files/engine-events.ts';
import { runFiles } from '../run/run-folder.ts';
import { subjectOf, type RunRecord } from '../run/run-record.ts';
import { controlText, judgeControls } from './controls.ts';
import { isConclusive } from './record/verdict.ts';
import type { Evidence } from './evidence.ts';
import type { DoubtKind } from './headline.ts';
import type { RestartWindow } from './restart-windows.ts';
import { pressurePercent } from '../run/files/kernel.ts';
import { transitAboveMs } from './queries/waits.ts';
import { lateAboveMs } from '../experiment/load-schedule.ts';
import { siteNamesOf } from '../run/tables.ts';

// Limits; the check that has one says why it stands there.
const ownFaultLimit = 0.001;
const lagP99LimitMs = 5;
const lagMaxLimitMs = 100;
const oneVoidIn = 5;
const disagreementLimit = 0.0001;
const clockStepLimitMs = 20;

/** Why a run cannot be trusted. */
export interface Doubt {
  /** Of the check. */
  readonly id: string;
  readonly kind: DoubtKind;
  readonly why: string;
}

type Sentence = string | false;

/** A question that every run is asked before it is believed. */
export interface Check {
  /** It never changes its meaning: reasons end with it, and tests and scripts go by it. */
  readonly id: string;
  readonly kind: DoubtKind;
  readonly question: string;
  /** What the answer is held against, and why there. */
  readonly limit: string;
  readonly advice: string;
  /** Sentences that say why not; none where the run stands. */
  readonly answer: (of: Evidence) => Sentence | readonly Sentence[];
}

/** Every check, in the order in which its answer is told. */
export const checks: readonly Check[] = [
  {
    id: 'nothing-asked',
    kind: 'nothing',
    question: 'Was a request due, and was one sent?',
    limit: 'At least one: of nothing there is nothing to say.',
    advice: 'Ask for a longer --duration or a higher --rate.',
    answer: ({ ledger: { all } }) => [
      all.due === 0 && 'No request was due: nothing was measured. Ask for a longer --duration or a higher --rate.',
      all.due > 0 && all.sent + all.dropped === 0 && 'No request was sent: nothing was measured.',
    ],
  },
  {
    id: 'ill-before',
    kind: 'ill-before',
    question: 'Did the service answer as expected before the command, or the first restart?',
    limit:
      'All of 5 requests, and in the lab half of each kind: what the deploy is blamed for must not have been there before it.',
    advice: 'Make the service well first, or correct what is expected of it; `measure` has --even-if-failing.',
    answer({ run, illRequests }) {
      // What the deploy is blamed for must not have been there before it.
      if (run.kind === 'experiment') {
        if (illRequests.length === 0) return false;
        const told = illRequests.map(
          ({ request, asked, ok, other }) => `${request}: ${ok} of ${asked} ok, most others ${other}`,
        );
        return (
          `The service did not answer as expected before the first restart (${told.join('; ')}): correct it, or in the service.yaml ` +
          'what is asked and expected.'
        );
      }
      if (run.before === null || run.commandRun) return false;
      const { asked, asExpected, answers, example } = run.before;
      const others = Object.entries(answers)
        .filter(([outcome]) => outcome !== 'ok')
        .map(([outcome, count]) => `${count} × ${outcome}`);
      return (
        `The service was ill before the deploy: ${asked - asExpected} of ${asked} requests before the command were not ` +
        `answered as expected (${others.join(', ')})${example === null ? '' : `; ${example}`}. The command was not run; ` +
        '--even-if-failing runs it all the same.'
      );
    },
  },
  {
    id: 'nothing-held',
    kind: 'held',
    question: 'With --hold: was a connection held?',
    limit: 'At least one: of a connection that never opened nothing was cut.',
    advice: 'The reason says what the tries came to; --hold-path and --hold-kind must be what the service serves.',
    answer({ holds }) {
      if (holds === null || !holds.isThere || holds.counts.opened > 0) return false;
      const { connections, path, failedTries } = holds.verdict;
      const tries = Object.entries(failedTries).map(([why, tries]) => `${tries} × ${why}`);
      const said = holds.firstError === null ? '' : `; ${holds.firstError}`;
      return (
        `None of ${connections} connections was ever held at ${path} (${tries.join(', ') || 'no try had come to an end'}${said}): ` +
        'nothing is known of what a deploy does to them.'
      );
    },
  },
  {
    id: 'deploy-trouble',
    kind: 'deploy',
    question: 'Did the deploy do what was asked of it?',
    limit: 'No command failed, every version became ready, every record was collected.',
    advice: 'The sentence names the command and what it said.',
    answer: ({ run }) => run.troubles,
  },
  {
    id: 'container-ended',
    kind: 'engine',
    question: 'Did every container of the lab live until the end?',
    limit: 'No `die`, no `oom`, and the engine was heard of throughout.',
    advice: 'Find out what ended it, and run again.',
    answer: ({ engine }) => engineTroubles(engine),
  },
  {
    id: 'uncalibrated',
    kind: 'instrument',
    question: 'Does the load generator count known failures right on this machine?',
    limit: 'Every case of the calibration.',
    advice: 'The command `calibrate` shows each case.',
    answer({ calibration }) {
      const wrong = calibration?.wrong[0];
      if (calibration === null || wrong === undefined) return false;
      return (
        `The instrument is not calibrated on this machine: ${calibration.wrong.length} of ${calibration.cases} cases came ` +
        `out wrong (${wrong.case}: ${wrong.sentences.join('; ')}): the command \`calibrate\` must pass first.`
      );
    },
  },
  {
    id: 'control-failed',
    kind: 'control',
    question: 'Did the controls come out as they must?',
    limit: 'C0 passes and drops nothing; C+ drops something in a run that can be trusted.',
    advice: 'Read the control’s own report.',
    answer({ controls }) {
      return judgeControls(controls ?? []).flatMap((control, index) => {
        if (control.holds) return [];
        const { role, name, runId, because } = control;
        const why = isConclusive(control)
          ? ''
          : ` (${controls?.[index]?.verdict.reasons[0]?.replace(/\.$/u, '') ?? ''})`;
        return `Its control ${role} (${name}, ${runId}) ${controlText(control)}${why}: ${because}.`;
      });
    },
  },
  {
    id: 'nothing-changed',
    kind: 'unchanged',
    question: 'With --must-change: was anything of the service seen to change?',
    limit:
      'A failed request, another instance or version, another listening process, or a held stream or web socket that ended.',
    advice: 'The command must wait for the end of the deploy.',
    answer({ run, windows, ledger, hasChanged, unchangedRestarts }) {
      if (run.kind !== 'measure' || !run.service.mustChange || hasChanged !== false) return false;
      const where = windows.length > 1 ? ` in ${restartsText(unchangedRestarts, windows.length)}` : '';
      return (
        `Nothing of the service was seen to change${where}, as --must-change asks: ${noNewFailure(ledger.all)}, no answer named another ` +
        'instance or version, the same process listens. The command must wait for the end of the deploy.'
      );
    },
  },
  {
    id: 'slow-transit',
    kind: 'machine',
    question: 'Did answers pass between client and proxy without delay?',
    limit: `${transitAboveMs} ms: within one machine it takes longer only where something stood still.`,
    advice: 'Stop other work on this machine and run again.',
    answer(of) {
      const { transit } = of.waits;
      return (
        transit.slow > 0 &&
        `${transit.slow} answers took more than ${transit.aboveMs} ms between client and proxy, at most ` +
          `${transit.longestMs?.toFixed(0) ?? '?'} ms (first: row ${transit.firstSlowRow ?? '?'}): the proxy or this machine ` +
          `stood still, or the network between them was slow; ${whatToDo(of)}.`
      );
    },
  },
  {
    id: 'proxy-logs-differ',
    kind: 'witness',
    question: "Do the proxy's two logs tell of the same tries?",
    limit: 'Failed answers and further tries in the one are the failed tries in the other.',
    advice: 'Run again; if it stays so, the proxy’s version words its log otherwise.',
    answer({ proxyTries }) {
      const { answers, retries, failedTries } = proxyTries ?? { answers: 0, retries: 0, failedTries: 0 };
      return (
        answers + retries !== failedTries &&
        `The proxy's two logs disagree: ${answers} failed answers and ${retries} further tries in the one or the other, but ` +
          `${failedTries} failed tries in its own log.`
      );
    },
  },
  {
    id: 'unbalanced-ledger',
    kind: 'instrument',
    question: 'Has every slot of the schedule one row?',
    limit: 'Exactly one.',
    advice: 'This is a fault of the harness, or the file was changed.',
    answer: ({ ledger: { missingSlots, repeatedSlots } }) =>
      missingSlots + repeatedSlots > 0 &&
      `The ledger does not balance: ${missingSlots} slots have no row and ${repeatedSlots} have more ` +
        'than one; this is a fault of the harness, or the file was changed.',
  },
  {
    id: 'own-faults',
    kind: 'machine',
    question: 'Could the generator send what was due?',
    limit: `${ownFaultLimit * 100} % of the requests may be unsent or fail by its own fault.`,
    advice: 'Lower --rate, or run on a machine with more room.',
    answer({ ledger: { all, failureKinds } }) {
      // Not those for which there was no connection because the server held them all: that is the server's doing.
      const unsent = (all.outcomes['unsent'] ?? 0) - (failureKinds['connections held'] ?? 0);
      const local = all.outcomes['local'] ?? 0;
      return (
        unsent + local > ownFaultLimit * all.due &&
        `The generator could not send ${unsent} requests and failed by itself on ${local} of ${all.due} ` +
          '(limit 0.1 %): lower --rate or run on a machine with more room.'
      );
    },
  },
  {
    id: 'stood-still',
    kind: 'machine',
    question: 'Did the generator ever stand still?',
    limit: `${lagMaxLimitMs} ms for the latest request: a longer stop may hide what it should have met.`,
    advice: 'Stop other work on this machine and run again.',
    answer(of) {
      const latestMs = (of.ledger.lag?.maxUs ?? 0) / 1000;
      return (
        latestMs > lagMaxLimitMs &&
        `A request left ${latestMs.toFixed(1)} ms late (limit ${lagMaxLimitMs} ms): the generator stood still; ${whatToDo(of)}.`
      );
    },
  },
  {
    id: 'void-restarts',
    kind: 'machine',
    question: 'Was the load on time while the service restarted?',
    limit: `${lateAboveMs} ms in all but one of ${oneVoidIn} restarts; what a late restart dropped still counts.`,
    advice: 'Stop other work on this machine and run again.',
    answer(of) {
      const { ledger, windows } = of;
      const voided = ledger.perRestart.filter(({ latestUs }) => latestUs > lateAboveMs * 1000).length;
      return (
        voided * oneVoidIn > windows.length &&
        `Of ${windows.length} restarts ${voided} met requests that left more than ${lateAboveMs} ms late (limit 1 in ` +
          `${oneVoidIn}): ${whatToDo(of)}.`
      );
    },
  },
  {
    id: 'late-schedule',
    kind: 'machine',
    question: 'Was the load on time on the whole?',
    limit: `${lagP99LimitMs} ms at the 99th percentile: the load must be the one that was asked for.`,
    advice: 'Stop other work on this machine and run again.',
    answer(of) {
      const lateMs = (of.ledger.lag?.p99Us ?? 0) / 1000;
      return (
        lateMs > lagP99LimitMs &&
        `Requests left late: ${lateMs.toFixed(1)} ms at the 99th percentile (limit ${lagP99LimitMs} ms); ${whatToDo(of)}.`
      );
    },
  },
  {
    id: 'restarts-missing',
    kind: 'deploy',
    question: 'Did every planned restart begin?',
    limit: 'All of them.',
    advice: 'Run again.',
    answer({ run, windows, isNotBack }) {
      // A series ends with a command that failed, and with a service that is not back: that is what is told.
      if (run.kind === 'measure' && (isNotBack || run.troubles.length > 0)) return false;
      const { plannedRestarts: deploys } = subjectOf(run);
      // A release restarts which sites its playbook comes to; any other deploy restarts them all.
      const isRelease = run.kind === 'experiment' && run.experiment.deploy.action === 'release';
      const planned = isRelease ? deploys : deploys * siteNamesOf(run).length;
      const begun = isRelease ? new Set(windows.map(({ deploy }) => deploy)).size : windows.length;
      if (begun >= planned || (run.kind === 'measure' && !run.commandRun)) return false;
      return `Only ${begun} of ${planned} ${isRelease ? 'releases' : 'restarts'} began before the load ended.`;
    },
  },
  {
    id: 'outage-unseen',
    kind: 'witness',
    question: 'Was it seen when each old process stopped accepting, and when the new one began?',
    limit: 'Both, of every restart of an experiment that ends the old process, and was not given up.',
    advice: 'Look at timeline.ndjson and at the journal.',
    answer({ run, windows }) {
      // Of a service that the user runs nobody tells when it stopped accepting.
      const { oldEndsBy, action } =
        run.kind === 'experiment' ? run.experiment.deploy : { oldEndsBy: 'nothing', action: null };
      const hasEnd = oldEndsBy !== 'nothing' && action !== 'proxy-reload';
      const isUnseen = ({ acceptStoppedUs, acceptingUs, givenUpUs }: RestartWindow): boolean =>
        givenUpUs === null && (acceptStoppedUs === null || acceptingUs === null);
      const unseen = hasEnd ? windows.filter(isUnseen).map(({ restart }) => restart) : [];
      return unseen.length > 0 && `Of restarts ${unseen.join(', ')} the outage window was not seen.`;
    },
  },
  {
    id: 'tail-unseen',
    kind: 'witness',
    question: 'Was the last restart over before the load ended?',
    limit: 'The new process is ready within the load.',
    advice: 'Run again with a longer tail (--set deploy.tailMs).',
    answer({ run, windows }) {
      const last = run.kind === 'experiment' ? windows.at(-1) : undefined;
      // Of several sites the last to be ready may be any.
      const readyUs = windows.flatMap((window) => (window.deploy === last?.deploy ? (window.readyUs ?? []) : []));
      return (
        Math.max(...readyUs) > run.durationMs * 1000 &&
        'The last restart was ready only after the load had ended: its tail was not seen.'
      );
    },
  },
  {
    id: 'proxy-disagrees',
    kind: 'witness',
    question: "Did every request that was sent arrive in the proxy's access log, once, with the same status?",
    limit: 'All of them.',
    advice: 'Run again; query `proxy-witness` has the counts.',
    answer: ({ proxy }) =>
      proxy !== null &&
      proxy.missing + proxy.extra + proxy.repeated + proxy.disagreeing > 0 &&
      `The proxy's access log and the ledger disagree: ${proxy.missing} requests sent are not in the log, ` +
        `${proxy.extra} in the log were not sent, ${proxy.repeated} arrived more than once, ` +
        `${proxy.disagreeing} were answered otherwise.`,
  },
  {
    id: 'rows-disagree',
    kind: 'witness',
    question: 'Do ledger, proxy and site agree on each request?',
    limit: `${disagreementLimit * 100} % of the rows may differ: clocks of processes that wait for a CPU.`,
    advice: 'Query `disagreements` has the rows.',
    answer({ reconciliation: { rows, disagreeing, disagreements } }) {
      const [first] = disagreements;
      return (
        disagreeing > disagreementLimit * rows &&
        `${disagreeing} of ${rows} rows do not agree with themselves or with the other witnesses (limit 0.01 %); ` +
          `the first is row ${first?.seq ?? '?'}: ${first?.what ?? '?'}.`
      );
    },
  },
  {
    id: 'unexplained-drops',
    kind: 'witness',
    question: 'Has every drop a cause that a witness other than the client shows?',
    limit: 'Every one.',
    advice: 'Query `unexplained` has the rows.',
    answer: ({ run, reconciliation: { unexplained: count, unexplainedRows } }) =>
      run.kind === 'experiment' &&
      count > 0 &&
      `Of ${count} drops no witness other than the client shows a cause (rows ` +
        `${unexplainedRows.slice(0, 5).join(', ')}${count > 5 ? ' …' : ''}).`,
  },
  {
    id: 'strange-writes',
    kind: 'witness',
    question: 'Was the database read, is it whole, and does it hold only what was sent?',
    limit:
      'SQLite’s integrity_check says ok, and no note is there that the ledger does not have. `writes` of a service.yaml finds ' +
      'a write of each kind, before the load or after it.',
    advice: 'Query `note-faults` has the notes.',
    answer({ run, writes, writesDoubt }) {
      if (writesDoubt !== undefined) return writesDoubt;
      if (writes === null) {
        return isLookedUp(run) && 'The database was not read, so that nothing is known of the writes.';
      }
      const { unexpected, integrity } = writes;
      return [
        unexpected > 0 && `The database holds ${unexpected} writes of this load that the ledger does not have.`,
        integrity !== null && integrity !== 'ok' && `SQLite says that the database is damaged: ${integrity}.`,
      ];
    },
  },
  {
    id: 'clock-moved',
    kind: 'witness',
    question: "Did the engine's wall clock keep pace with its monotonic one?",
    limit: `${clockStepLimitMs} ms: the proxy's log is joined by the wall clock.`,
    advice: 'Stop what sets the clock (NTP steps) during a run.',
    answer({ run }) {
      // Only the logs of a lab are joined by the wall clock: of a user's service all times are monotonic.
      const [atBegin, atEnd] = (run.kind === 'experiment' ? run.wallOffsetUs : null) ?? [0, 0];
      const stepMs = (atEnd - atBegin) / 1000;
      return (
        Math.abs(stepMs) > clockStepLimitMs &&
        `The engine's wall clock moved by ${stepMs.toFixed(1)} ms during the run (limit ${clockStepLimitMs}).`
      );
    },
  },
  {
    id: 'holds-disagree',
    kind: 'witness',
    question: 'With --hold: has every life of a held connection its row?',
    limit: 'As many rows as run.json says, as many cut, and each holder’s lives one after another.',
    advice: 'Run again; a file that was changed cannot be mended.',
    answer({ run, holds }) {
      if (holds === null || run.kind !== 'measure') return false;
      if (!holds.isThere)
        return `${runFiles.holds} is missing: what became of the held connections is not known; run again.`;
      const { lives, opened, endedByService, outOfOrder } = holds.counts;
      const told = run.held;
      const isAsTold = told?.lives === lives && told.opened === opened && told.endedByService === endedByService;
      return [
        !isAsTold &&
          `${runFiles.holds} has ${lives} lives, ${opened} of them open and ${endedByService} ended by the service; ` +
            `${runFiles.run} says ${told === undefined ? 'nothing of them' : `${told.lives}, ${told.opened} and ${told.endedByService}`}.`,
        told?.cut !== undefined &&
          told.cut !== holds.verdict.cut &&
          `${runFiles.holds} has ${holds.verdict.cut} that were cut; ${runFiles.run} says ${told.cut}.`,
        outOfOrder > 0 && `${runFiles.holds} has ${outOfOrder} lives that do not follow the ones before them.`,
      ];
    },
  },
  {
    id: 'witness-missing',
    kind: 'witness',
    question: 'Is every witness there, does it cover the run, and is the timeline what the witnesses give?',
    limit: 'All of them; a witness that is empty would agree with anything.',
    advice: 'Run again; a file that was changed cannot be mended.',
    answer: ({ witnessDoubts }) => witnessDoubts,
  },
];

/** Why the run is inconclusive; empty when it is not. */
export function doubtsOf(of: Evidence): Doubt[] {
  return checks.flatMap(({ id, kind, answer }) =>
    present([answer(of)].flat()).map((why) => ({ id, kind, why: withId(why, id) })),
  );
}

/** A reason ends with the id of its check, as errors end with their code. */
export function withId(sentence: string, id: string): string {
  return `${sentence} [${id}]`;
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

/** What is said of requests where nothing was seen to change: of a service that fails all the while some did fail. */
export function noNewFailure({ dropped }: { readonly dropped: number }): string {
  return `no request failed${dropped === 0 ? '' : ' in a way that was new'}`;
}

const mostNamed = 5;

/** `restarts 2, 5 of 20`. */
export function restartsText(some: readonly number[], all: number): string {
  const more = some.length > mostNamed ? ` and ${some.length - mostNamed} more` : '';
  return `restart${some.length === 1 ? '' : 's'} ${some.slice(0, mostNamed).join(', ')}${more} of ${all}`;
}

function isLookedUp(run: RunRecord): boolean {
  if (run.kind === 'measure') return false;
  const { service } = run.experiment;
  return service === undefined || service.writes !== undefined;
}

/** With how busy the machine was, where that explains something: the share of the run in which a process waited for a CPU. */
function whatToDo({ kernel, run }: Pick<Evidence, 'kernel' | 'run'>): string {
  const percent = pressurePercent(kernel, run.durationMs);
  const busy =
    percent === null || percent < 10
      ? ''
      : ` (some process waited for a CPU during ${percent.toFixed(0)} % of the run)`;
  return `stop other work on this machine${busy} and run again`;
}

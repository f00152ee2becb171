/** Can this run be trusted? Each reason why not is a sentence and what to do. */
import type { EngineEvent } from '../lab/engine-events.ts';
import { runFiles } from '../scenario/run-folder.ts';
import { subjectOf, type RunRecord } from '../scenario/run-record.ts';
import { lateAboveMs } from '../load/plan.ts';
import { judgeControls, type Control } from './controls.ts';
import type { LedgerSummary } from './ledger-summary.ts';
import { pressurePercent } from './pressure.ts';
import type { ProxyWitness } from './proxy-witness.ts';
import type { RestartWindow } from './restart-windows.ts';
import type { UnplannedEnd } from './unplanned-ends.ts';
import type { Calibration, Reconciliation, Verdict, WritesVerdict } from './verdict.ts';
import type { Waits } from './waits.ts';

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

/** Why the run is inconclusive; empty when it is not. */
export function distrust(
  run: RunRecord,
  ledger: LedgerSummary,
  windows: readonly RestartWindow[],
  {
    proxy,
    proxyTries,
    writes,
    reconciliation,
    waits: { transit },
    unplanned,
    engine,
    kernel,
    controls,
    calibration,
  }: {
    proxy: ProxyWitness | null;
    proxyTries: Verdict['proxyTries'];
    writes: WritesVerdict | null;
    reconciliation: Reconciliation;
    waits: Waits;
    unplanned: readonly UnplannedEnd[];
    engine: readonly EngineEvent[];
    kernel: Readonly<Record<string, number>>;
    controls: readonly Control[] | null;
    calibration: Calibration | null;
  },
): string[] {
  const reasons: string[] = [...run.troubles, ...engineTroubles(engine)];
  const whatToDo = `stop other work on this machine${pressureText(kernel, run.durationMs)} and run again`;
  const uncalibrated = calibration?.wrong[0];
  if (calibration !== null && uncalibrated !== undefined) {
    reasons.push(
      `The instrument is not calibrated on this machine: ${calibration.wrong.length} of ${calibration.cases} cases came ` +
        `out wrong (${uncalibrated.case}: ${uncalibrated.sentences.join('; ')}): \`npm run calibrate\` must pass first.`,
    );
  }
  for (const control of judgeControls(controls ?? [])) {
    if (control.holds) continue;
    const { role, name, runId, verdict, dropped, due, because } = control;
    reasons.push(
      `Its control ${role} (${name}, ${runId}) did not come out as it must: ${verdict}, ${dropped} of ${due} dropped; ` +
        `${because}.`,
    );
  }
  for (const { atUs, what, line } of unplanned.slice(0, 3)) {
    reasons.push(
      `The site's process ended at ${(atUs / 1e6).toFixed(3)} s although no deploy asked for it (${what}; ` +
        `${runFiles.timeline}:${line}): what ended it is part of what was measured; run again without it.`,
    );
  }
  if (transit.slow > 0) {
    reasons.push(
      `${transit.slow} answers took more than ${transit.aboveMs} ms between client and proxy, at most ` +
        `${transit.longestMs?.toFixed(0) ?? '?'} ms (first: row ${transit.firstSlowRow ?? '?'}): the proxy or this machine ` +
        `stood still, or the network between them was slow; ${whatToDo}.`,
    );
  }
  if (proxyTries !== null && proxyTries.answers + proxyTries.retries !== proxyTries.failedTries) {
    const { answers, retries, failedTries } = proxyTries;
    reasons.push(
      `The proxy's two logs disagree: ${answers} failed answers and ${retries} further tries in the one or the other, but ` +
        `${failedTries} failed tries in its own log.`,
    );
  }
  if (ledger.missingSlots > 0 || ledger.repeatedSlots > 0) {
    reasons.push(
      `The ledger does not balance: ${ledger.missingSlots} slots have no row and ${ledger.repeatedSlots} have more ` +
        'than one; this is a fault of the harness, or the file was changed.',
    );
  }
  const unsent = ledger.all.outcomes['unsent'] ?? 0;
  const local = ledger.all.outcomes['local'] ?? 0;
  if (unsent + local > ownFaultLimit * ledger.all.due) {
    reasons.push(
      `The generator could not send ${unsent} requests and failed by itself on ${local} of ${ledger.all.due} ` +
        '(limit 0.1 %): lower --rate or run on a machine with more room.',
    );
  }
  if (ledger.lag !== null && ledger.lag.maxUs > lagMaxLimitMs * 1000) {
    reasons.push(
      `A request left ${(ledger.lag.maxUs / 1000).toFixed(1)} ms late (limit ${lagMaxLimitMs} ms): the generator stood ` +
        `still; ${whatToDo}.`,
    );
  }
  const voided = ledger.perRestart.filter(({ latestUs }) => latestUs > lateAboveMs * 1000).length;
  if (voided * oneVoidIn > windows.length) {
    reasons.push(
      `Of ${windows.length} restarts ${voided} met requests that left more than ${lateAboveMs} ms late (limit 1 in ` +
        `${oneVoidIn}): ${whatToDo}.`,
    );
  }
  if (ledger.lag !== null && ledger.lag.p99Us > lagP99LimitMs * 1000) {
    reasons.push(
      `Requests left late: ${(ledger.lag.p99Us / 1000).toFixed(1)} ms at the 99th percentile (limit ${lagP99LimitMs} ` +
        `ms); ${whatToDo}.`,
    );
  }
  const { plannedRestarts } = subjectOf(run);
  if (windows.length < plannedRestarts) {
    reasons.push(`Only ${windows.length} of ${plannedRestarts} restarts began before the load ended.`);
  }
  // Of a service that the user runs nobody tells when it stopped accepting.
  const told = run.kind === 'experiment' ? windows : [];
  const unseen = told.filter(({ acceptStoppedUs, acceptingUs }) => acceptStoppedUs === null || acceptingUs === null);
  if (unseen.length > 0) {
    reasons.push(`Of restarts ${unseen.map(({ restart }) => restart).join(', ')} the outage window was not seen.`);
  }
  const last = told.at(-1);
  if (last?.readyUs != null && last.readyUs > run.durationMs * 1000) {
    reasons.push('The last restart was ready only after the load had ended: its tail was not seen.');
  }
  if (proxy !== null && proxy.missing + proxy.extra + proxy.repeated + proxy.disagreeing > 0) {
    reasons.push(
      `The proxy's access log and the ledger disagree: ${proxy.missing} requests sent are not in the log, ` +
        `${proxy.extra} in the log were not sent, ${proxy.repeated} arrived more than once, ` +
        `${proxy.disagreeing} were answered otherwise.`,
    );
  }
  const { rows, disagreeing, disagreements } = reconciliation;
  if (disagreeing > disagreementLimit * rows) {
    const [first] = disagreements;
    reasons.push(
      `${disagreeing} of ${rows} rows do not agree with themselves or with the other witnesses (limit 0.01 %); ` +
        `the first is row ${first?.seq ?? '?'}: ${first?.what ?? '?'}.`,
    );
  }
  if (run.kind === 'experiment' && reconciliation.unexplained > 0) {
    reasons.push(
      `Of ${reconciliation.unexplained} drops no witness other than the client shows a cause (rows ` +
        `${reconciliation.unexplainedRows.slice(0, 5).join(', ')}${reconciliation.unexplained > 5 ? ' …' : ''}).`,
    );
  }
  if (writes !== null && writes.unexpected > 0) {
    reasons.push(`The database holds ${writes.unexpected} writes of this load that the ledger does not have.`);
  }
  if (writes !== null && writes.integrity !== 'ok') {
    reasons.push(`SQLite says that the database is damaged: ${writes.integrity}.`);
  }
  if (run.kind === 'experiment' && writes === null) {
    reasons.push('The database was not read, so that nothing is known of the writes.');
  }
  if (run.wallOffsetUs !== null) {
    const stepMs = (run.wallOffsetUs[1] - run.wallOffsetUs[0]) / 1000;
    if (Math.abs(stepMs) > clockStepLimitMs) {
      reasons.push(
        `The engine's wall clock moved by ${stepMs.toFixed(1)} ms during the run (limit ${clockStepLimitMs}).`,
      );
    }
  }
  return reasons;
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

/** How busy the machine was, where that explains something: the share of the run in which some process waited for a CPU. */
function pressureText(kernel: Readonly<Record<string, number>>, durationMs: number): string {
  const percent = pressurePercent(kernel, durationMs);
  return percent === null || percent < 10
    ? ''
    : ` (some process waited for a CPU during ${percent.toFixed(0)} % of the run)`;
}

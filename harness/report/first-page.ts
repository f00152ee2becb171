/** The first page of a report: the verdict, the line to cite, and everything that one must know before one believes it. */
import { isOfOwnService } from '../run/tables.ts';
import { greatestOf } from '../base/sums.ts';
import { present } from '../base/present.ts';
import { counted } from '../base/counted.ts';
import { askedMs, labDeadlineMs } from '../run/site-requests.ts';
import { type ExperimentRun, subjectOf, type RunRecord } from '../run/run-record.ts';
import { boundIn, kindsText, noRestartText, restartsText, versionsIn } from '../verdict/citation.ts';
import { pressurePercent } from '../run/files/kernel.ts';
import { heldText } from '../verdict/service/held-text.ts';
import { isConclusive, type Verdict } from '../verdict/record/verdict.ts';
import { atSeconds, byCount, eventText, inMs, listOf, paragraphs } from './format.ts';

/** Windows of drops that the first page tells of; the rest stand in their own table. */
const mostWindows = 3;

/** The heading, with the question, its answer in a sentence, and the line to cite. */
export function headingSection(run: RunRecord, verdict: Verdict): string {
  const { id, title, question } = subjectOf(run);
  const variant = verdict.variant === null ? '' : ` (${verdict.variant})`;
  return paragraphs(
    `# ${id} ${title}${variant}: ${verdict.verdict}`,
    `**${question}** ${answerText(run, verdict)}${verdict.holds === undefined ? '' : ` ${heldText(verdict.holds)}`}`,
    `\`\`\`\n${verdict.citation}\n\`\`\``,
  );
}

function answerText(run: RunRecord, verdict: Verdict): string {
  const { restarts, dropped, droppedOutsideRestarts, due, headline } = verdict;
  if (verdict.verdict === 'aborted') return 'The run was cut short: nothing can be claimed from it.';
  const lead =
    verdict.verdict === 'inconclusive'
      ? `This run cannot be trusted: ${headline}. It counted:`
      : `${headline.charAt(0).toUpperCase()}${headline.slice(1)}.`;
  if (restarts === 0) return `${lead} ${dropped} of ${due} requests were dropped, with ${noRestartText(verdict)}.`;
  const outside = droppedOutsideRestarts ?? 0;
  const each = ((dropped - outside) / restarts).toFixed(1);
  return (
    `${lead} ${restartsText(verdict)} dropped something${boundIn(verdict, run)}, ` +
    `${dropped} of ${due} requests in all, ${each} a restart` +
    `${outside === 0 ? '' : `; ${outside} of them belong to no restart`}.`
  );
}

/** Why the run is no pass, and what else must be known; nothing where there is nothing. */
export function reasonsSection({ reasons, notes }: Verdict): string {
  return paragraphs(
    reasons.length > 0 && '## Why',
    listOf(reasons),
    notes.length > 0 && '## To be known',
    listOf(notes),
  );
}

/** What a reader must know, a line each. */
export function glanceSection(run: RunRecord, verdict: Verdict): string {
  const lines: [string, string | null][] = [
    ['Dropped', droppedText(run, verdict)],
    ['Sites', sitesText(verdict)],
    ['Unexplained', unexplainedText(verdict)],
    ['Why', whyText(verdict)],
    ['When', whenText(verdict)],
    ['Waiting', waitingText(verdict)],
    ['Listen queue', queueText(verdict)],
    ['Writes', writesText(run, verdict)],
    ['Controls', controlsText(run, verdict)],
    ['Witnesses', witnessesText(run, verdict)],
    ['Machine', machineText(run, verdict)],
    ['Lab', labText(run)],
    ['Holds for', scopeText(run, verdict)],
  ];
  const told = lines.flatMap(([name, text]) => (text === null ? [] : `**${name}**: ${text}`));
  return paragraphs('## At a glance', listOf(told));
}

function droppedText(run: RunRecord, { dropped, due, predicted, stale }: Verdict): string {
  const beside =
    predicted.dropped === null
      ? 'nothing predicts how many'
      : `timeline and options alone predict ${predictedText(run, predicted)}`;
  return `${dropped} of ${due} requests; ${beside}. Stale answers: ${stale ?? 'not known, since ok answers do not show each version'}.`;
}

/** How long a service of the user's own answers on kept connections is not known: then it is a range. */
function predictedText(run: RunRecord, { dropped, range }: Verdict['predicted']): string {
  const [low, high] = range ?? [0, 0];
  if (isOfOwnService(run) && high - low > 1) return `${low.toFixed(0)} to ${high.toFixed(0)}`;
  return dropped?.toFixed(0) ?? '';
}

/** Of several sites: how many were hurt, and the one that was hurt most. */
function sitesText({ perSite }: Verdict): string | null {
  if (perSite === undefined) return null;
  const most = perSite.reduce((worst, site) => (site.dropped > worst.dropped ? site : worst));
  const silent = perSite.reduce((worst, site) => ((site.gapMs ?? 0) > (worst.gapMs ?? 0) ? site : worst));
  const hurt = perSite.filter(({ dropped }) => dropped > 0).length;
  return (
    `requests of ${hurt} of ${perSite.length} sites were dropped` +
    `${most.dropped === 0 ? '' : `, most of ${most.site}: ${most.dropped} of ${most.due}`}; ` +
    `the longest silence of a single site was ${inMs(silent.gapMs)} (${silent.site}).`
  );
}

function unexplainedText({ unexplained, dropped, serverLog }: Verdict): string {
  if (unexplained === null) {
    if (serverLog === undefined) return 'not known: no witness but the client was part of it.';
    return serverLog.logs.some(({ joined }) => joined === 'time')
      ? 'not known: lines of an access log were joined to requests by time, which is likely and not certain.'
      : 'not known: an access log was given, and no line of it could be joined to a request.';
  }
  if (dropped === 0) return '0, for nothing was dropped.';
  if (unexplained === 0) return `0 of ${dropped} drops: a witness other than the client shows the cause of each.`;
  return `**${unexplained}** of ${dropped} drops: no witness other than the client shows their cause.`;
}

function whyText(verdict: Verdict): string | null {
  if (verdict.unexplained === null) return kindsText(verdict);
  const causes = byCount(verdict.reconciliation.causes).map(([cause, count]) => `${count} × ${cause}`);
  if (verdict.dropped === 0 || causes.length === 0) return verdict.experiment === 'measure' ? kindsText(verdict) : null;
  return `${causes.join('; ')}.`;
}

function whenText({ dropWindows }: Verdict): string | null {
  if (dropWindows.length === 0) return null;
  const told = dropWindows
    .slice(0, mostWindows)
    .map(
      ({ fromUs, toUs, dropped, openedBy, closedBy }) =>
        `${dropped} from ${atSeconds(fromUs)} to ${atSeconds(toUs)}, ` +
        `opened by ${eventText(openedBy)}, closed by ${eventText(closedBy)}`,
    );
  const more = dropWindows.length - told.length;
  return `${told.join('; ')}${more === 0 ? '' : `; ${more} more below`}.`;
}

function waitingText({ longestWaitMs, gapMs, stalls, transit }: Verdict): string {
  const places = byCount(stalls.byPlace).map(([place, count]) => `${count} ${place}`);
  return present([
    longestWaitMs === null ? 'no ok answer;' : `longest ${inMs(longestWaitMs)};`,
    gapMs === null
      ? 'how long nobody was answered is not known.'
      : `for ${inMs(gapMs)} at most nobody who asked was answered.`,
    stalls.count === 0
      ? `No ok answer came over ${stalls.aboveMs} ms late.`
      : `${stalls.count} ok answers came over ${stalls.aboveMs} ms late: ${places.join('; ')}; outside of every ` +
        `restart: ${stalls.outsideRestarts}.`,
    transit.longestMs !== null &&
      `The way between client and proxy, there and back, took ${inMs(transit.longestMs)} at most.`,
  ]).join(' ');
}

function queueText({ perRestart }: Verdict): string | null {
  const expected = greatestOf(perRestart.map(({ expectedQueue }) => expectedQueue));
  if (expected === null) return null;
  const seen = greatestOf(perRestart.map(({ longestQueue }) => longestQueue));
  const most = seen === null ? 'not sampled' : `at most ${seen} connections waited`;
  return `${most}; expected at most ${expected.toFixed(0)}.`;
}

function writesText(run: RunRecord, { writes }: Verdict): string | null {
  if (writes === null) {
    if (run.kind === 'measure' || run.experiment.service === undefined) return null;
    return run.experiment.service.writes === undefined
      ? 'not checked: service.yaml does not say how.'
      : 'not known: the reasons say why.';
  }
  const { acknowledged, indeterminate, recovered, lost, early, altered, duplicated, misattributed } = writes;
  const faults = Object.entries({ lost, early, altered, duplicated, misattributed }).map(([name, count]) =>
    count === 0 ? `${name} 0` : count === null ? `${name} not known` : `**${name} ${count}**`,
  );
  const unknown =
    indeterminate === 0 ? '' : `; ${indeterminate} indeterminate, of which ${recovered} are in the database`;
  return `${acknowledged} acknowledged; ${faults.join(', ')}${unknown}.`;
}

function controlsText({ kind }: RunRecord, { controls, calibration }: Verdict): string | null {
  if (kind !== 'experiment') return null;
  if (controls === null) return '**made without controls: not for citing.**';
  const beside = controls.map(({ role, name, runId, dropped, due, holds, verdict }) => {
    const doubt = isConclusive({ verdict }) ? 'not as it must' : `${verdict}, it says nothing`;
    return `${role} (${name}, ${runId}) dropped ${dropped} of ${due}: ${holds ? 'as it must' : `**${doubt}**`}`;
  });
  if (beside.length === 0) beside.push('no other run: this is itself the control of the others');
  if (calibration !== null) {
    const wrong = calibration.wrong.length;
    beside.push(
      `the instrument was right in ${calibration.cases - wrong} of ${calibration.cases} cases of its calibration` +
        (wrong === 0 ? '' : ' (**not as it must**)'),
    );
  }
  return `${beside.join('; ')}.`;
}

function witnessesText(run: RunRecord, { witnesses, reconciliation, proxyTries }: Verdict): string | null {
  if (witnesses.proxy === null) return null;
  const { rows, disagreeing } = reconciliation;
  const logs = isOfOwnService(run) ? "ledger and proxy's log" : "ledger, proxy's log and site's log";
  const agree = `${logs} agree in ${rows - disagreeing} of ${rows} rows.`;
  if (proxyTries === null) return agree;
  const { failedTries, answers, retries } = proxyTries;
  return (
    `${agree} The proxy's own log has ${counted(failedTries, 'failed try', 'failed tries')}, its access log ` +
    `${counted(answers, 'failed answer')}${retries === 0 ? '' : ` and ${counted(retries, 'further try', 'further tries')}`}.`
  );
}

function machineText(run: RunRecord, { schedule, witnesses }: Verdict): string {
  const percent = pressurePercent(witnesses.kernel, run.durationMs);
  return (
    `requests left ${inMs(schedule.lagP99Ms)} late at the 99th percentile, ${inMs(schedule.lagMaxMs)} at most` +
    `${percent === null ? '' : `; some process waited for a CPU during ${percent.toFixed(0)} % of the run`}.`
  );
}

function labText(run: RunRecord): string {
  const { cpus, cpu = 'CPU', project } = run.fingerprint;
  const parts = present([
    ...versionsIn(run, ['traefik', 'systemd', 'node', 'sqlite', 'debian', 'kernel', 'engine']),
    cpus !== undefined && `${cpus} × ${cpu}`,
    project !== undefined && `project ${project.slice(0, 12)}${project.slice(40)}`,
  ]);
  return `${parts.join(', ')}.`;
}

function longestAskedMs({ experiment }: ExperimentRun, longestWaitMs: number | null): number {
  if (experiment.service !== undefined) return longestWaitMs ?? 0;
  return Math.max(...experiment.load.mix.map(({ path }) => askedMs(path)));
}

/**
 * What kind of requests the run holds for. How long they took is the run's own: in the lab the longest time that the mix
 * asks the site for; of a user's service the longest answer that was seen.
 */
export function scopeText(run: RunRecord, { longestWaitMs }: Verdict): string {
  const seconds = (ms: number): string => (ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);
  const [longestMs, deadlineMs] =
    run.kind === 'experiment'
      ? [longestAskedMs(run, longestWaitMs), labDeadlineMs]
      : [longestWaitMs ?? 0, run.service.timeoutMs];
  return (
    `HTTP/${run.kind === 'measure' ? (run.service.http ?? '1.1') : '1.1'}, ${run.kind === 'measure' && run.service.tls !== null ? 'over' : 'no'} TLS, no upgraded connections, requests ` +
    `${longestMs === 0 ? 'that take no time of their own' : `up to ${seconds(longestMs)}`} ` +
    `(given up ${seconds(deadlineMs)} after their due time), one host.`
  );
}

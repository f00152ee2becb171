/** The first page of a report: the verdict, the line to cite, and everything that one must know before one believes it. */
import { subjectOf, type RunRecord } from '../run/run-record.ts';
import { boundText, kindsText, noRestartText } from '../verdict/citation.ts';
import { pressurePercent } from '../verdict/pressure.ts';
import { isConclusive, type Verdict } from '../verdict/verdict.ts';
import { atSeconds, byCount, inMs } from './format.ts';
import { scopeText } from './scope.ts';

/** Windows of drops that the first page tells of; the rest stand in their own table. */
const mostWindows = 3;

/** The heading, with the question, its answer in a sentence, and the line to cite. */
export function headingSection(run: RunRecord, verdict: Verdict): string {
  const { id, title, question } = subjectOf(run);
  const variant = verdict.variant === null ? '' : ` (${verdict.variant})`;
  return [
    `# ${id} ${title}${variant}: ${verdict.verdict}`,
    `**${question}** ${sentence(verdict)}`,
    `\`\`\`\n${verdict.citation}\n\`\`\``,
  ].join('\n\n');
}

function sentence(verdict: Verdict): string {
  const { restarts, badRestarts, dropped, droppedOutsideRestarts: outside, due, headline } = verdict;
  if (verdict.verdict === 'aborted') return 'The run was cut short: nothing can be claimed from it.';
  const inShort = `${headline.charAt(0).toUpperCase()}${headline.slice(1)}. `;
  const doubt = verdict.verdict === 'inconclusive' ? `This run cannot be trusted: ${headline}. It counted: ` : inShort;
  if (restarts === 0) return `${doubt}${dropped} of ${due} requests were dropped, with ${noRestartText(verdict)}.`;
  const others = outside === null || outside === 0 ? '' : `; ${outside} of them belong to no restart`;
  const each = ((dropped - (outside ?? 0)) / restarts).toFixed(1);
  return (
    `${doubt}${badRestarts} of ${restarts} restarts dropped something (${boundText(verdict)}), ` +
    `${dropped} of ${due} requests in all, ${each} a restart${others}.`
  );
}

/** What must be known besides; nothing where there is nothing. */
export function notesSection({ notes }: Verdict): string {
  return notes.length === 0 ? '' : `## To be known\n\n${notes.map((note) => `- ${note}`).join('\n')}`;
}

/** Why the run is no pass; nothing where it is one. */
export function reasonsSection({ reasons }: Verdict): string {
  return reasons.length === 0 ? '' : `## Why\n\n${reasons.map((reason) => `- ${reason}`).join('\n')}`;
}

/** What a reader must know, a line each. */
export function glanceSection(run: RunRecord, verdict: Verdict): string {
  const lines: [string, string | null][] = [
    ['Dropped', droppedText(verdict)],
    ['Unexplained', unexplainedText(verdict)],
    ['Why', whyText(verdict)],
    ['When', whenText(verdict)],
    ['Waiting', waitingText(verdict)],
    ['Listen queue', queueText(verdict)],
    ['Writes', writesText(verdict)],
    ['Controls', controlsText(run, verdict)],
    ['Witnesses', witnessesText(verdict)],
    ['Machine', machineText(run, verdict)],
    ['Lab', labText(run)],
    ['Holds for', scopeText(run, verdict)],
  ];
  return [
    '## At a glance',
    lines.flatMap(([name, text]) => (text === null ? [] : [`- **${name}**: ${text}`])).join('\n'),
  ].join('\n\n');
}

function droppedText({ dropped, due, predicted, stale }: Verdict): string {
  const beside =
    predicted.dropped === null
      ? 'nothing predicts how many'
      : `timeline and options alone predict ${predicted.dropped.toFixed(0)}`;
  return `${dropped} of ${due} requests; ${beside}. Stale answers: ${stale}.`;
}

function unexplainedText({ unexplained, dropped }: Verdict): string {
  if (unexplained === null) return 'not known: no witness but the client was part of it.';
  if (dropped === 0) return '0, for nothing was dropped.';
  return `${unexplained === 0 ? '0' : `**${unexplained}**`} of ${dropped} drops have no line of a witness other than the client.`;
}

function whyText(verdict: Verdict): string | null {
  const { reconciliation, dropped, unexplained } = verdict;
  if (unexplained === null) return kindsText(verdict);
  if (dropped === 0) return null;
  const causes = byCount(reconciliation.causes).map(([cause, count]) => `${count} × ${cause}`);
  return causes.length === 0 ? null : `${causes.join('; ')}.`;
}

function whenText({ dropWindows }: Verdict): string | null {
  if (dropWindows.length === 0) return null;
  const told = dropWindows.slice(0, mostWindows).map(({ fromUs, toUs, dropped, openedBy, closedBy }) => {
    const moment = (of: typeof openedBy): string =>
      of === null ? 'no event' : `\`${of.kind}\` at ${atSeconds(of.atUs)}`;
    return (
      `${dropped} from ${atSeconds(fromUs)} to ${atSeconds(toUs)}, ` +
      `opened by ${moment(openedBy)}, closed by ${moment(closedBy)}`
    );
  });
  const more = dropWindows.length - told.length;
  return `${told.join('; ')}${more === 0 ? '' : `; ${more} more below`}.`;
}

function waitingText({ longestWaitMs, gapMs, stalls, transit }: Verdict): string {
  const places = byCount(stalls.byPlace).map(([place, count]) => `${count} ${place}`);
  const waited =
    stalls.count === 0
      ? `No ok answer came over ${stalls.aboveMs} ms late.`
      : `${stalls.count} ok answers came over ${stalls.aboveMs} ms late: ${places.join('; ')}; outside of every ` +
        `restart: ${stalls.outsideRestarts}.`;
  const way =
    transit.longestMs === null
      ? ''
      : ` The way between client and proxy, there and back, took ${inMs(transit.longestMs)} at most.`;
  const longest = longestWaitMs === null ? 'no ok answer' : `longest ${inMs(longestWaitMs)}`;
  const silent =
    gapMs === null
      ? 'how long nobody was answered is not known'
      : `for ${inMs(gapMs)} at most nobody who asked was answered`;
  return `${longest}; ${silent}. ${waited}${way}`;
}

function queueText({ perRestart }: Verdict): string | null {
  const expected = perRestart.flatMap(({ expectedQueue }) => expectedQueue ?? []);
  if (expected.length === 0) return null;
  const seen = perRestart.flatMap(({ longestQueue }) => longestQueue ?? []);
  const most = seen.length === 0 ? 'not sampled' : `at most ${Math.max(...seen)} connections waited`;
  return `${most}; expected at most ${Math.max(...expected).toFixed(0)}.`;
}

function writesText({ writes }: Verdict): string | null {
  if (writes === null) return null;
  const { acknowledged, indeterminate, recovered, lost, early, altered, duplicated, misattributed } = writes;
  return (
    `${acknowledged} acknowledged; **lost ${lost}**, duplicated ${duplicated}, misattributed ${misattributed}` +
    (early === 0 ? '' : `, **acknowledged before they were written ${early}**`) +
    (altered === 0 ? '' : `, **stored with another text ${altered}**`) +
    `${indeterminate === 0 ? '' : `; ${indeterminate} indeterminate, of which ${recovered} are in the database`}.`
  );
}

function controlsText({ kind }: RunRecord, { controls, calibration }: Verdict): string | null {
  if (kind !== 'experiment') return null;
  if (controls === null) return '**made without controls: not for citing.**';
  const calibrated =
    calibration === null
      ? []
      : [
          `the instrument was right in ${calibration.cases - calibration.wrong.length} of ${calibration.cases} cases of ` +
            `its calibration${calibration.wrong.length === 0 ? '' : ' (**not as it must**)'}`,
        ];
  const beside =
    controls.length === 0
      ? ['no other run: this is itself the control of the others']
      : controls.map(
          ({ role, name, runId, dropped, due, holds, verdict: of }) =>
            `${role} (${name}, ${runId}) dropped ${dropped} of ${due}: ${
              holds ? 'as it must' : isConclusive({ verdict: of }) ? '**not as it must**' : `**${of}, it says nothing**`
            }`,
        );
  return `${[...beside, ...calibrated].join('; ')}.`;
}

function witnessesText({ witnesses, reconciliation, proxyTries }: Verdict): string | null {
  if (witnesses.proxy === null) return null;
  const { rows, disagreeing } = reconciliation;
  const tries =
    proxyTries === null
      ? ''
      : ` The proxy's own log has ${proxyTries.failedTries} failed tries, its access log ${proxyTries.answers} failed ` +
        `answers${proxyTries.retries === 0 ? '' : ` and ${proxyTries.retries} further tries`}.`;
  return `ledger, proxy's log and site's log agree in ${rows - disagreeing} of ${rows} rows.${tries}`;
}

function machineText(run: RunRecord, { schedule, witnesses }: Verdict): string {
  const percent = pressurePercent(witnesses.kernel, run.durationMs);
  return (
    `requests left ${inMs(schedule.lagP99Ms)} late at the 99th percentile, ${inMs(schedule.lagMaxMs)} at most` +
    `${percent === null ? '' : `; some process waited for a CPU during ${percent.toFixed(0)} % of the run`}.`
  );
}

function labText({ fingerprint }: RunRecord): string {
  const versions = ['traefik', 'systemd', 'node', 'sqlite', 'debian', 'kernel', 'engine']
    .filter((name) => fingerprint[name] !== undefined)
    .map((name) => `${name} ${fingerprint[name] ?? ''}`);
  const { cpus, cpu, project } = fingerprint;
  const machine = cpus === undefined ? [] : [`${cpus} × ${cpu ?? 'CPU'}`];
  const state = project === undefined ? [] : [`project ${project.slice(0, 12)}${project.slice(40)}`];
  return `${[...versions, ...machine, ...state].join(', ')}.`;
}

/**
 * Is every witness there, and does it cover the run? One that is empty would agree with anything; and the timeline, on
 * which predictions and causes rest, must be what the witnesses give.
 */
import type { EngineEvent } from '../run/engine-events.ts';
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import type { TimelineEvent } from '../run/timeline.ts';
import type { ProxyLogHead } from '../run/proxy-log.ts';

/** What was read of a run's witnesses. */
export interface WitnessFiles {
  readonly timeline: readonly TimelineEvent[];
  /** Made again from the witnesses. */
  readonly timelineAgain: readonly TimelineEvent[];
  readonly journalLines: number;
  /** null where it is empty. */
  readonly proxyLog: ProxyLogHead | null;
  /** Lines of each file of which run.json has the number (witness-lines.ts), as they are now. */
  readonly lines: Readonly<Record<string, number>>;
  readonly queueSamples: number;
  /** When the queue of the site's port was first sampled, on the run's clock; null where it never was. */
  readonly queueFirstUs: number | null;
  /** Of the queues, the first line that cannot be; null where there is none. */
  readonly queueWrongLine: number | null;
  readonly engine: readonly EngineEvent[];
  readonly kernel: Readonly<Record<string, number>>;
  /** Requests on connections of their own that somebody answered. */
  readonly answeredOnNew: number;
  /** Due requests of the direct probe; null where its file is not there. */
  readonly probed: number | null;
}

/** Of the requests that the direct probe should have made, so many must be there: it begins and ends beside the load. */
const probedShare = 0.8;

/** What is missing, each a sentence. Only of a run that went to its end: one that was cut short promises nothing. */
export function witnessDoubts(run: ExperimentRun, files: WitnessFiles): string[] {
  if (run.aborted !== null) return [];
  const { experiment } = run;
  const hasProxy = experiment.proxy.kind !== 'none';
  const empty: string[] = [];
  if (files.journalLines === 0) empty.push(runFiles.journal);
  if (hasProxy && files.proxyLog === null) empty.push(runFiles.proxyLog);
  if (files.queueSamples === 0) empty.push(runFiles.queues);
  if (Object.keys(files.kernel).length === 0) empty.push(runFiles.kernel);
  const doubts = empty.map((file) => `${file} is empty: what it would have shown is not known; run again.`);
  doubts.push(...lineDoubts(run.witnessLines, files.lines));
  const started = new Set(files.engine.filter(({ action }) => action === 'start').map(({ role }) => role));
  const unseen = ['server', ...(hasProxy ? ['edge'] : []), 'client'].filter((role) => !started.has(role));
  if (unseen.length > 0) {
    doubts.push(
      `${runFiles.engineEvents} does not have the start of ${unseen.join(', ')}: nobody watched the engine, or the ` +
        'file was changed.',
    );
  }
  doubts.push(...startDoubts(run, files));
  doubts.push(...proxyLogDoubts(run, files), ...queueDoubts(run, files), ...kernelDoubts(files));
  // Of two colours one is always down: no probe asks them.
  const ratePerSecond = experiment.sites.backends === 2 ? 0 : experiment.probe.ratePerSecond;
  const wanted = (ratePerSecond * run.durationMs) / 1000;
  if ((files.probed ?? 0) < probedShare * wanted) {
    doubts.push(
      `${runFiles.direct} has ${files.probed ?? 0} of about ${wanted.toFixed(0)} requests of the direct probe: what a ` +
        'proxy hides was not looked at.',
    );
  }
  const line = firstDifference(files.timeline, files.timelineAgain);
  if (line !== null) {
    doubts.push(
      `${runFiles.timeline} is not what deployer, journal, proxy and engine give (line ${line} differs): one of them was ` +
        'changed after the run.',
    );
  }
  return doubts;
}

/** The containers of a lab are started before its load begins; the engine tells of each with the moment in which it did. */
function startDoubts(run: ExperimentRun, { engine }: WitnessFiles): string[] {
  const originUs = originWallUsOf(run);
  const roles = [...new Set(engine.map(({ role }) => role))];
  const firsts = roles.map((of) => engine.find(({ action, role }) => action === 'start' && role === of));
  const late = firsts.find((start) => start !== undefined && originUs !== null && start.atWallUs > originUs);
  if (late === undefined || originUs === null) return [];
  return [
    `${runFiles.engineEvents} has the start of ${late.role} at ${secondsOf(late.atWallUs - originUs)} s, after the load had ` +
      'begun: it is of another run, or was changed.',
  ];
}

/** Each file has as many lines as were recorded. */
function lineDoubts(recorded: Readonly<Record<string, number>>, found: Readonly<Record<string, number>>): string[] {
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(found)])];
  return names
    .filter((name) => recorded[name] !== found[name])
    .map(
      (name) =>
        `${name} has ${found[name] ?? 'no'} lines, and ${recorded[name] ?? 'none'} were recorded (${runFiles.run}): lines ` +
        'were taken out, or put in, after the run.',
    );
}

/** The engine may tell of a start a little after the container's first line. */
const startToleranceUs = 1_000_000;

/** The proxy's own log begins when the proxy was started, before the load, and names the version of the fingerprint. */
function proxyLogDoubts(run: ExperimentRun, { proxyLog, engine }: WitnessFiles): string[] {
  if (proxyLog === null) return [];
  const doubts: string[] = [];
  const startUs = engine.find(({ action, role }) => action === 'start' && role === 'edge')?.atWallUs;
  const originUs = originWallUsOf(run);
  const { atWallUs, version } = proxyLog;
  if (startUs !== undefined && originUs !== null && !(atWallUs >= startUs - startToleranceUs && atWallUs <= originUs)) {
    doubts.push(
      `${runFiles.proxyLog} begins at ${secondsOf(atWallUs - originUs)} s, which is not between the start of the proxy at ` +
        `${secondsOf(startUs - originUs)} s and the first request: it is of another run, or its beginning was cut off.`,
    );
  }
  const wanted = run.fingerprint['traefik'];
  if (version !== wanted) {
    doubts.push(
      `The fingerprint has Traefik ${wanted ?? 'none'}, and the proxy's own log says ${version ?? 'none'} ` +
        `(${runFiles.proxyLog}): one of them was changed after the run.`,
    );
  }
  return doubts;
}

/** The sampler begins after the server and before the load, and tells each port that listens at once. */
function queueDoubts(run: ExperimentRun, files: WitnessFiles): string[] {
  const { queueSamples, queueFirstUs, queueWrongLine, engine } = files;
  if (queueSamples === 0) return [];
  if (queueWrongLine !== null) {
    return [
      `${runFiles.queues}:${queueWrongLine} goes back in time, or says again what its port had: the sampler writes changes, ` +
        'so a line was taken out, or changed.',
    ];
  }
  if (queueFirstUs === null || queueFirstUs > 0) {
    const when = queueFirstUs === null ? 'no sample' : `the first sample at ${secondsOf(queueFirstUs)} s`;
    return [
      `${runFiles.queues} has ${when} of the site's port: it is sampled from before the load, so a part of the file is ` +
        'missing, or was changed.',
    ];
  }
  const startUs = engine.find(({ action, role }) => action === 'start' && role === 'server')?.atWallUs;
  const originUs = originWallUsOf(run);
  if (startUs === undefined || originUs === null || queueFirstUs >= startUs - originUs - startToleranceUs) return [];
  return [
    `${runFiles.queues} begins at ${secondsOf(queueFirstUs)} s, before the server was started: it is of another run.`,
  ];
}

/** The server's kernel accepts, for proxy or site, at least each request of the load on a connection of its own that was answered. */
function kernelDoubts({ kernel, answeredOnNew }: WitnessFiles): string[] {
  const accepted = kernel['Tcp.PassiveOpens'] ?? 0;
  if (Object.keys(kernel).length === 0 || accepted >= answeredOnNew) return [];
  return [
    `${runFiles.kernel} counts ${accepted} accepted connections (Tcp.PassiveOpens), and ${answeredOnNew} requests were ` +
      'answered on a connection of their own: it is of another run, or was changed.',
  ];
}

/** The run's zero on the wall clock of the engine; null where that is not known. */
function originWallUsOf({ originMonotonicUs, wallOffsetUs }: ExperimentRun): number | null {
  return originMonotonicUs === null || wallOffsetUs === null ? null : originMonotonicUs + wallOffsetUs[0];
}

function secondsOf(atUs: number): string {
  return (atUs / 1e6).toFixed(3);
}

/** Number of the first line that differs, from 1; null where none does. */
function firstDifference(one: readonly TimelineEvent[], other: readonly TimelineEvent[]): number | null {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    if (JSON.stringify(one[index]) !== JSON.stringify(other[index])) return index + 1;
  }
  return null;
}

/**
 * Is every witness there, and does it cover the run? One that is empty would agree with anything; and the timeline, on
 * which predictions and causes rest, must be what the witnesses give.
 */
import { present } from '../base/present.ts';
import { publicPorts } from '../experiment/units.ts';
import type { EngineEvent } from '../run/files/engine-events.ts';
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import type { TimelineEvent } from '../run/files/timeline.ts';

/** What was read of a run's witnesses. */
export interface WitnessFiles {
  readonly timeline: readonly TimelineEvent[];
  /** Made again from the witnesses. */
  readonly timelineAgain: readonly TimelineEvent[];
  readonly journalLines: number;
  readonly hasProxyLog: boolean;
  readonly queueSamples: number;
  readonly engine: readonly EngineEvent[];
  readonly kernel: Readonly<Record<string, number>>;
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
  const empty = present([
    files.journalLines === 0 && runFiles.journal,
    hasProxy && !files.hasProxyLog && runFiles.proxyLog,
    files.queueSamples === 0 && runFiles.queues,
    Object.keys(files.kernel).length === 0 && runFiles.kernel,
  ]);
  const started = new Set(files.engine.filter(({ action }) => action === 'start').map(({ role }) => role));
  const roles = present(['server', hasProxy && experiment.proxy.unit === undefined && 'edge', 'client']);
  const unseen = roles.filter((role) => !started.has(role));
  // Of two colours with a port each one is always down: no probe asks them.
  const ratePerSecond = publicPorts(experiment) === 2 ? 0 : experiment.probe.ratePerSecond;
  const wanted = (ratePerSecond * run.durationMs) / 1000;
  const probed = files.probed ?? 0;
  const line = firstDifference(files.timeline, files.timelineAgain);
  return present([
    ...empty.map((file) => `${file} is empty: what it would have shown is not known; run again.`),
    unseen.length > 0 &&
      `${runFiles.engineEvents} does not have the start of ${unseen.join(', ')}: nobody watched the engine, or the ` +
        'file was changed.',
    probed < probedShare * wanted &&
      `${runFiles.direct} has ${probed} of about ${wanted.toFixed(0)} requests of the direct probe: what a ` +
        'proxy hides was not looked at.',
    line !== null &&
      `${runFiles.timeline} is not what deployer, journal, proxy and engine give (line ${line} differs): one of them was ` +
        'changed after the run.',
  ]);
}

/** Number of the first line that differs, from 1; null where none does. */
function firstDifference(one: readonly TimelineEvent[], other: readonly TimelineEvent[]): number | null {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    if (JSON.stringify(one[index]) !== JSON.stringify(other[index])) return index + 1;
  }
  return null;
}

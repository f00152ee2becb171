/** A run's timeline, made of its other files: when it is written, and again when it is held against them. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineEvent } from './engine-events.ts';
import { coloursOf } from '../experiment/units.ts';
import { finite, integer, lineForm, oneOf, optional, integerFrom, recordsOf, text, type Place } from './line-form.ts';
import { plainText } from './plain-file.ts';
import { runFiles } from './run-folder.ts';
import type { ExperimentRun } from './run-record.ts';
import { readAccessLog } from './access-log.ts';
import { buildTimeline, deployBegins } from './build-timeline.ts';
import { CheckStates } from './check-states.ts';
import type { DeployerMessage } from './deploy-plan.ts';
import type { TimelineEvent } from './timeline.ts';
import { parseJournal, type JournalLine } from './journal.ts';
import { readProxyLog } from './proxy-log.ts';
import { ProxyMoments } from './proxy-moments.ts';

/** The files of a run that are short, and of which its timeline is made. */
export interface TimelineFiles {
  readonly deployer: readonly DeployerMessage[];
  readonly journal: readonly JournalLine[];
  readonly engine: readonly EngineEvent[];
}

/**
 * Reads them; a file that is not there is empty.
 * @throws {HarnessError} naming file and line, when one is not of its form
 */
export async function readTimelineFiles(folder: string): Promise<TimelineFiles> {
  const read = async <T>(name: string, recordsIn: (content: string, path: string) => T[]): Promise<T[]> => {
    const path = join(folder, name);
    return existsSync(path) ? recordsIn(await plainText(path), path) : [];
  };
  const [deployer, journal, engine] = await Promise.all([
    read(runFiles.deployer, (content, path) => recordsOf(content, path, formOfMessage)),
    read(runFiles.journal, parseJournal),
    read(runFiles.engineEvents, (content, path) => recordsOf(content, path, formOfEngineEvent)),
  ]);
  return { deployer, journal, engine };
}

type StampedMessage = Extract<DeployerMessage, { restart: number }>;

const bareKinds = ['waiting', 'done'];
const stampedKinds = [
  'deploy-begin',
  'deploy-end',
  'never-ready',
  'retire',
  'proxy-file',
  'roll-back',
  'rested',
] as const satisfies readonly StampedMessage['kind'][];

const formOfAnyMessage = lineForm<DeployerMessage>('message of the deployer', {
  kind: oneOf([...bareKinds, ...stampedKinds]),
});

const formOfStampedMessage = lineForm<StampedMessage>('message of the deployer', {
  kind: oneOf(stampedKinds),
  restart: integerFrom(1),
  version: text,
  atMonotonicUs: finite,
  failure: optional(text),
});

function formOfMessage(json: unknown, place: Place): DeployerMessage {
  const message = formOfAnyMessage(json, place);
  return bareKinds.includes(message.kind) ? message : formOfStampedMessage(json, place);
}

const formOfEngineEvent = lineForm<EngineEvent>('event of the engine', {
  atWallUs: integer,
  action: text,
  role: text,
  detail: text,
});

/** What is to be told of the proxy's access log: it takes the lines of the load's own requests. */
export function proxyMomentsOf(run: ExperimentRun, { deployer }: TimelineFiles): ProxyMoments {
  const originUs = run.originMonotonicUs ?? 0;
  return new ProxyMoments(deployBegins(deployer, originUs), originUs + (run.wallOffsetUs?.[0] ?? 0));
}

/** The timeline of a run. */
export function timelineOf(
  run: ExperimentRun,
  { deployer, journal, engine }: TimelineFiles,
  { moments, checks }: { moments: ProxyMoments; checks: CheckStates },
): TimelineEvent[] {
  return buildTimeline({
    originUs: run.originMonotonicUs ?? 0,
    wallOffsetUs: run.wallOffsetUs?.[0] ?? 0,
    loadEndUs: run.aborted === null ? run.durationMs * 1000 : undefined,
    deployer,
    journal,
    // Without a clock that both know, what the proxy saw has no place among the rest.
    proxy: run.wallOffsetUs === null ? [] : moments.events(),
    checks: checks.all(),
    engine,
    units: coloursOf(run.experiment),
  });
}

/** Writes timeline.ndjson from the run's other files, which are complete. */
export async function writeTimeline(folder: string, run: ExperimentRun): Promise<void> {
  const files = await readTimelineFiles(folder);
  const moments = proxyMomentsOf(run, files);
  const path = join(folder, runFiles.accessLog);
  for await (const lines of existsSync(path) ? readAccessLog(path) : []) {
    for (const line of lines) if (line.requestId.startsWith(run.runId)) moments.add(line);
  }
  const checks = new CheckStates();
  for await (const line of readProxyLog(folder)) checks.addLogLine(line);
  const events = timelineOf(run, files, { moments, checks });
  await writeFile(join(folder, runFiles.timeline), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

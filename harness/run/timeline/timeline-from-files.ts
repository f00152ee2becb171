/** A run's timeline, made of its other files: when it is written, and again when it is held against them. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { proxyUnit, restartNumber, sitesOf } from '../../experiment/units.ts';
import { buildTimeline, deployBegins } from './build-timeline.ts';
import { CheckStates } from './check-states.ts';
import { openDatabase, type RunDatabase } from '../database.ts';
import { deployerMessageIn, type DeployerMessage } from '../files/deployer-log.ts';
import { engineEventsFile, type EngineEvent } from '../files/engine-events.ts';
import { recordIn, recordsIn } from '../files/fields.ts';
import { queuesFile, type QueueSample } from '../files/queues.ts';
import { gzippedLines } from '../gzipped-lines.ts';
import { parseJournal, type JournalLine } from '../files/journal.ts';
import { plainText } from '../plain-file.ts';
import { readProxyLog } from '../files/proxy-log.ts';
import { proxyMoments } from './proxy-moments.ts';
import { runFiles } from '../run-folder.ts';
import type { ExperimentRun } from '../run-record.ts';
import type { TimelineEvent } from '../files/timeline.ts';

/** The files of a run that are short, and of which its timeline is made. */
export interface TimelineFiles {
  readonly deployer: readonly DeployerMessage[];
  readonly journal: readonly JournalLine[];
  readonly engine: readonly EngineEvent[];
  /** Read where the ports of a service are all that shows when it accepts. */
  readonly queues: readonly QueueSample[];
}

/**
 * Reads them; a file that is not there is empty.
 * @throws {HarnessError} naming file and line, when one is not of its form
 */
export async function readTimelineFiles(folder: string, { experiment }: ExperimentRun): Promise<TimelineFiles> {
  const read = async <T>(name: string, parse: (content: string, path: string) => T[]): Promise<T[]> => {
    const path = join(folder, name);
    return existsSync(path) ? parse(await plainText(path), path) : [];
  };
  const [deployer, journal, engine] = await Promise.all([
    read(runFiles.deployer, deployerMessages),
    read(runFiles.journal, parseJournal),
    read(runFiles.engineEvents, (content, path) => recordsIn(engineEventsFile, content, path)),
  ]);
  const queues = experiment.service === undefined ? [] : await queueSamples(folder, portsOf(experiment));
  return { deployer, journal, engine, queues };
}

function portsOf(experiment: ExperimentRun['experiment']): Set<number> {
  return new Set(sitesOf(experiment)[0].colours.flatMap(({ publicPort, internalPort }) => [publicPort, internalPort]));
}

/** Of these ports, in order of time. */
async function queueSamples(folder: string, ports: ReadonlySet<number>): Promise<QueueSample[]> {
  const path = join(folder, runFiles.queues);
  if (!existsSync(path)) return [];
  const samples: QueueSample[] = [];
  let number = 0;
  for await (const lines of gzippedLines(path)) {
    for (const text of lines) {
      const sample = recordIn(queuesFile, text, { path, line: ++number });
      if (ports.has(sample.port)) samples.push(sample);
    }
  }
  return samples;
}

function deployerMessages(content: string, path: string): DeployerMessage[] {
  const lines = content.split('\n').filter((line) => line !== '');
  return lines.map((text, index) => deployerMessageIn(text, { path, line: index + 1 }));
}

/** The timeline of a run, of which the database has the proxy's access log. */
export async function timelineOf(
  run: ExperimentRun,
  { deployer, journal, engine, queues }: TimelineFiles,
  { database, checks }: { database: RunDatabase; checks: CheckStates },
): Promise<TimelineEvent[]> {
  const originUs = run.originMonotonicUs ?? 0;
  const { unit: ofProxy } = run.experiment.proxy;
  const sites = sitesOf(run.experiment).map(({ name, colours }) =>
    // What is started and stopped is then the proxy, beside the site's own units.
    ({ name, colours: ofProxy === undefined ? colours : [...colours, proxyUnit] }),
  );
  const isRelease = run.experiment.deploy.action === 'release';
  const begins = sites.flatMap(({ name }, index) =>
    deployBegins({ deployer, originUs, sites, isRelease }, name).map(({ deploy, atUs }) => ({
      site: name,
      restart: restartNumber(deploy, index, sites.length),
      atUs,
      brought: `v${deploy}`,
    })),
  );
  return buildTimeline({
    originUs,
    wallOffsetUs: run.wallOffsetUs?.[0] ?? 0,
    loadEndUs: run.aborted === null ? run.durationMs * 1000 : undefined,
    deployer,
    journal,
    // Without a clock that both know, what the proxy saw has no place among the rest.
    proxy: run.wallOffsetUs === null ? [] : await proxyMoments(database, begins, sites.length > 1),
    checks: checks.all(),
    engine,
    sites,
    ...(run.experiment.service !== undefined && {
      own: { queues, hasSocket: run.experiment.unit.activation !== 'none' },
    }),
    isRelease,
  });
}

/** Writes timeline.ndjson from the run's other files, which are complete. */
export async function writeTimeline(folder: string, run: ExperimentRun): Promise<void> {
  const files = await readTimelineFiles(folder, run);
  const checks = new CheckStates();
  for await (const line of readProxyLog(folder)) checks.addLogLine(line);
  const database = await openDatabase(folder, run, ['proxy']);
  try {
    const events = await timelineOf(run, files, { database, checks });
    await writeFile(join(folder, runFiles.timeline), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  } finally {
    await database.close();
  }
}

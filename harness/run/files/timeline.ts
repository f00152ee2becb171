/**
 * What happened to the site, on one time axis.
 * All times are microseconds of CLOCK_MONOTONIC in the engine's kernel, counted from the run's origin (the first due time).
 */
import { integer, integerFrom, objectWith, oneOf, optional, recordsIn, text, type RecordOf } from './fields.ts';
import { plainText } from '../plain-file.ts';
import { runFiles } from '../run-folder.ts';

/** Who may see an event. */
const eventSources = ['deployer', 'app', 'journal', 'queues', 'proxy', 'engine'] as const;

/** The kinds of events, in the order in which one restart goes through them. */
export const eventKinds = [
  'load-begin',
  'deploy-begin',
  'task-begin',
  'site-begin',
  'proxy-file',
  'retire',
  'sigterm',
  'not-ready',
  'accept-stopped',
  'killing',
  'exit',
  'main-exited',
  'container-ended',
  'check-down',
  'unit-stopped',
  'socket-stopped',
  'restart-scheduled',
  'roll-back',
  'socket-started',
  'start',
  'internal-listening',
  'unit-started',
  'accepting',
  'ready',
  'given-up',
  'check-up',
  'site-end',
  'task-end',
  'deploy-end',
  'steady',
  'not-steady',
  'proxy-first-error',
  'proxy-last-error',
  'proxy-first-answer',
  'load-end',
] as const;

export type EventKind = (typeof eventKinds)[number];

/** What happened to the site, in order of time. */
export const timelineFile = {
  name: runFiles.timeline,
  what: 'event of a timeline',
  about: 'What happened to the site, by deployer, site, journal, proxy and engine, in order of time.',
  fields: {
    atUs: integer("When, µs since the run's origin; negative before the load begins."),
    kind: oneOf(eventKinds, 'What happened.'),
    source: oneOf(eventSources, 'Who saw it.'),
    restart: integerFrom(
      0,
      'Which restart it belongs to, from 1; 0 for what lies before the first, or is about all sites.',
    ),
    site: optional(
      text(
        'Of several sites (of your own service: of further units): the one that it is about; left out where it is about all.',
      ),
    ),
    version: optional(text('The version of the process it is about, where there is one.')),
    instance: optional(text("The process's own name for itself (pid-starttime), where there is one.")),
    connections: optional(
      objectWith(
        {
          open: integerFrom(0, 'Connections that were open.'),
          inFlight: integerFrom(0, 'Requests under way on them.'),
        },
        'Of `sigterm` and `accept-stopped`: connections that were open, and requests under way on them.',
      ),
    ),
    detail: optional(text('Anything a reader may want to know; never parsed.')),
  },
} as const;

/** One line of timeline.ndjson. */
export type TimelineEvent = RecordOf<(typeof timelineFile)['fields']>;

/**
 * The timeline of a run's folder.
 * @throws {HarnessError} naming the file, and the line that is no event
 */
export async function readTimeline(path: string): Promise<TimelineEvent[]> {
  return recordsIn(timelineFile, await plainText(path), path);
}

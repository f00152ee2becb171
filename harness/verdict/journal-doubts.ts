/** The units' journal, held against itself, the fingerprint and the site's own log. */
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { siteEventOf, type JournalLine, type SiteEvent } from '../run/journal.ts';
import { toleranceUs } from './cause.ts';
import type { InstanceSpan } from './site-columns.ts';

/** An event of the site, and where in the journal it stands. */
interface Placed {
  readonly event: SiteEvent;
  /** From 1. */
  readonly line: number;
  readonly receivedUs: number;
}

/** What cannot be, each a sentence; of one kind the first. */
export function journalDoubts(
  run: ExperimentRun,
  journal: readonly JournalLine[],
  served: readonly InstanceSpan[],
): string[] {
  const events = journal.flatMap((line, index): Placed[] => {
    const event = siteEventOf(line);
    return event === undefined ? [] : [{ event, line: index + 1, receivedUs: line.atMonotonicUs }];
  });
  const unknown = served.find(({ instance }) => !events.some(({ event }) => event.instance === instance));
  return [
    stampDoubt(events),
    unknown === undefined ? null : unknownDoubt(unknown),
    lifeDoubt(events, served, run.originMonotonicUs ?? 0),
    ...versionDoubts(run, events),
  ].filter((doubt) => doubt !== null);
}

/** Each process says that it starts, that it accepts and, unless it is SIGKILL, what ends it. */
function unknownDoubt({ instance, first }: InstanceSpan): string {
  return (
    `${runFiles.journal} has no word of the process ${instance}, which read requests (line ${first.line} of the site's log): ` +
    'it is of another run, or was changed.'
  );
}

/**
 * Both stamps are CLOCK_MONOTONIC. What is received was said before, but journald stamps with the moment in which its loop
 * woke up, which may lie a little before.
 */
function stampDoubt(events: readonly Placed[]): string | null {
  const early = events.find(({ event, receivedUs }) => receivedUs < event.atMonotonicUs - toleranceUs);
  return early === undefined
    ? null
    : `${runFiles.journal}:${early.line} was received before the site said it: one of its two stamps was changed after ` +
        'the run.';
}

/** A process reads no request of the load before it says that it accepts, nor after it says that it ends: both by its own clock. */
function lifeDoubt(events: readonly Placed[], served: readonly InstanceSpan[], originUs: number): string | null {
  for (const { instance, first, last } of served) {
    const placeOf = (name: string): Placed | undefined =>
      events.find(({ event }) => event.instance === instance && event.event === name);
    const began = placeOf('accepting');
    const ended = placeOf('exit');
    const [wrong, what] =
      began !== undefined && first.receivedUs < began.event.atMonotonicUs
        ? [first, `before that process said that it accepts (${runFiles.journal}:${began.line})`]
        : ended !== undefined && last.receivedUs > ended.event.atMonotonicUs
          ? [last, `after that process said that it ends (${runFiles.journal}:${ended.line})`]
          : [null, ''];
    if (wrong !== null) {
      const atMs = ((wrong.receivedUs - originUs) / 1000).toFixed(3);
      return `The site's log has a request read at ${atMs} ms (line ${wrong.line}), ${what}: one of them was changed after the run.`;
    }
  }
  return null;
}

/** What each process of the site says of itself when it starts is what the fingerprint has. */
function versionDoubts({ fingerprint }: ExperimentRun, events: readonly Placed[]): (string | null)[] {
  const starts = events.filter(({ event }) => event.event === 'start');
  const doubtOf = (name: string, said: (event: SiteEvent) => string | null): string | null => {
    const wanted = fingerprint[name] ?? 'none';
    const saying = starts.filter(({ event }) => said(event) !== null);
    const other = saying.find(({ event }) => said(event) !== wanted);
    if (other === undefined && (wanted === 'none' || saying.length > 0)) return null;
    const [who, line] =
      other === undefined
        ? ['no process of the site says so', '']
        : [`the site's process said ${said(other.event) ?? ''}`, `:${other.line}`];
    return (
      `The fingerprint has ${name} ${wanted}, and ${who} (${runFiles.journal}${line}): one of them was changed after ` +
      'the run.'
    );
  };
  return [
    doubtOf('node', ({ node }) => (typeof node === 'string' ? `v${node}` : null)),
    doubtOf('sqlite', ({ sqlite }) => (typeof sqlite === 'string' ? sqlite : null)),
    doubtOf('sqlite.pragmas', ({ pragmas }) =>
      typeof pragmas === 'object' && pragmas !== null ? pragmasText(pragmas as Record<string, unknown>) : null,
    ),
  ];
}

/** As the fingerprint writes them. */
function pragmasText(pragmas: Readonly<Record<string, unknown>>): string {
  return Object.entries(pragmas)
    .map(([name, value]) => `${name}:${String(value)}`)
    .join(',');
}

/** What systemd's journal says of a service of the user's, restart by restart. */
import { counted } from '../base/counted.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { inMs, paragraphs, tableOf } from './format.ts';

const mostEvents = 40;

/** The section; nothing where no journal was asked for. */
export function unitJournalSection({ journal }: Verdict): string {
  if (journal === undefined) return '';
  const { units, events, lines, restartsByItself, phases } = journal;
  const heading = `## What systemd says of ${units.join(', ')}`;
  if (lines === 0) {
    return paragraphs(
      heading,
      'Nothing, in all of the load: the command did not restart it, or it is another unit that serves.',
    );
  }
  const more = lines - Math.min(events.length, mostEvents);
  return paragraphs(
    heading,
    tableOf(events.slice(0, mostEvents), [
      ['restart', ({ restart }) => restart || null],
      ['at', ({ at }) => at],
      ['s', ({ atUs }) => (atUs / 1e6).toFixed(3)],
      ['event', ({ kind }) => (kind === 'sigterm' ? 'SIGTERM (inferred)' : kind)],
      ['what systemd said', ({ said }) => said],
      ['line', ({ line }) => `timeline.ndjson:${line}`],
    ]),
    more > 0 && `timeline.ndjson has ${more} more.`,
    phases.length > 0 &&
      tableOf(phases, [
        ['restart', ({ restart }) => restart],
        ['draining', ({ drainingMs }) => knownMs(drainingMs)],
        ['down', ({ downMs }) => knownMs(downMs)],
        ['warming', ({ warmingMs }) => knownMs(warmingMs)],
      ]),
    restartsByItself > 0 && `systemd started it again by itself (Restart=) ${counted(restartsByItself, 'time')}.`,
    'Times are those at which journald had the line, on the clock of the load. An exit, its status, the start and the ' +
      'counter of restarts are systemd’s own words. SIGTERM is inferred from “Stopping”: systemd sends it then, after ' +
      'any ExecStop=. When the old process stopped accepting, nobody says. The new one is ready where its unit tells ' +
      'systemd so (Type=notify), else when the load had an answer again; that ends `warming`.',
  );
}

function knownMs(ms: number | null): string {
  return ms === null ? 'not known' : inMs(ms);
}

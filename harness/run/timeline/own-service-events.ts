/**
 * What systemd's journal and the kernel show of a service of the user's own in the lab, which says nothing itself: of its
 * units as of those of `--journal`, and of its ports. Pure.
 */
import type { JournalLine } from '../files/journal.ts';
import type { QueueSample } from '../files/queues.ts';
import type { TimelineEvent } from '../files/timeline.ts';
import { handovers, openings, type Handover, type PortEvent } from './port-events.ts';
import { serviceJournalEvents } from './service-journal.ts';

/** What is known of the service. */
interface OwnService {
  readonly journal: readonly JournalLine[];
  readonly queues: readonly QueueSample[];
  readonly originUs: number;
  /** Does a socket unit keep its port open? */
  readonly hasSocket: boolean;
  readonly colours: readonly {
    readonly service: string;
    readonly socket: string;
    readonly publicPort: number;
    readonly internalPort?: number;
  }[];
  /** When each deploy began, µs since the origin. */
  readonly begins: readonly number[];
  /** When the deployer found a process ready, in order of time, µs since the origin. */
  readonly readyUs: readonly number[];
}

/** Its events, without their restarts, and in no order. */
export function ownServiceEvents(of: OwnService): Omit<TimelineEvent, 'restart'>[] {
  const { journal, queues, originUs, hasSocket, colours, begins, readyUs } = of;
  const units = colours.flatMap(({ service, socket }) => [service, socket]);
  const ofUnits = serviceJournalEvents(journal, {
    ...{ originUs, begins },
    units: units.map((name) => ({ name, tellsReady: false })),
  }).map(({ atUs, kind, source, detail }) => ({ atUs, kind, source, ...(detail !== undefined && { detail }) }));
  const told = handoversOf(ofUnits, { originUs, readyUs });
  const shown = ({ port, kind, atMonotonicUs }: PortEvent): Omit<TimelineEvent, 'restart'> => ({
    ...{ atUs: atMonotonicUs - originUs, source: 'queues', detail: `port ${port}` },
    kind: colours.some(({ publicPort }) => publicPort === port) ? kind : 'internal-listening',
  });
  const ofPublic = colours.flatMap(({ publicPort }) =>
    hasSocket ? handovers(queues, publicPort, told) : openings(queues, publicPort),
  );
  const ofInternal = colours.flatMap(({ publicPort, internalPort = publicPort }) =>
    internalPort === publicPort ? [] : openings(queues, internalPort).filter(({ kind }) => kind === 'accepting'),
  );
  return [...ofUnits, ...[...ofPublic, ...ofInternal].map(shown)];
}

/** Each end of a process with the start that follows it. */
function handoversOf(
  events: readonly Pick<TimelineEvent, 'kind' | 'atUs'>[],
  { originUs, readyUs }: Pick<OwnService, 'originUs' | 'readyUs'>,
): Handover[] {
  const starts = events.filter(({ kind }) => kind === 'start').map(({ atUs }) => atUs);
  return starts.flatMap((startUs, index) => {
    const afterUs = starts[index - 1] ?? -Infinity;
    const told = events.find(
      ({ kind, atUs }) => (kind === 'sigterm' || kind === 'main-exited') && atUs > afterUs && atUs <= startUs,
    );
    if (told === undefined) return [];
    const found = readyUs.find((us) => us >= startUs && us < (starts[index + 1] ?? Infinity));
    return [
      {
        ...{ toldUs: told.atUs + originUs, startUs: startUs + originUs },
        ...(found !== undefined && { readyUs: found + originUs }),
      },
    ];
  });
}

/**
 * When a service of the user's own stopped accepting, and began again, by what the kernel showed of its port: such a service
 * says nothing itself. Pure.
 */
import type { QueueSample } from '../files/queues.ts';

/** A moment of a port. */
export interface PortEvent {
  readonly port: number;
  readonly kind: 'accept-stopped' | 'accepting';
  readonly atMonotonicUs: number;
}

/**
 * Of a port that its process opens: when nobody accepted any more, and when somebody listened again. What waits in the queue
 * of a port that closes is lost: then nobody has accepted since the queue last shrank. Processes that share a port, such as
 * gunicorn's workers, end one by one, and the last one keeps it open.
 */
export function openings(samples: readonly QueueSample[], port: number): PortEvent[] {
  let isOpen: boolean | null = null;
  let waitingBefore = 0;
  let acceptedUs = 0;
  return samples
    .filter((sample) => sample.port === port)
    .flatMap(({ atMonotonicUs, waiting, closed }): PortEvent[] => {
      const [wasOpen, waited] = [isOpen, waitingBefore];
      isOpen = closed !== true;
      waitingBefore = waiting;
      if (isOpen && (waited === 0 || waiting < waited)) acceptedUs = atMonotonicUs;
      if (wasOpen === isOpen || (wasOpen === null && !isOpen)) return [];
      if (isOpen) return [{ port, kind: 'accepting', atMonotonicUs }];
      return [{ port, kind: 'accept-stopped', atMonotonicUs: waited === 0 ? atMonotonicUs : acceptedUs }];
    });
}

/** When a process was told to end, when the next one was there, and when that was found ready, µs. */
export interface Handover {
  readonly toldUs: number;
  readonly startUs: number;
  /** Left out where it never was. */
  readonly readyUs?: number;
}

/**
 * Of a port that a socket unit keeps open: a connection waits in its queue until a process accepts it, so the queue shrinks
 * when one does. The new process accepts from the first time that it shrinks after its start; the old one did at most until
 * the last time that it shrank before that, or until it was told to end, where that is later: an upper bound of the window.
 * A process that is ready while nobody waits has accepted by then: that the queue shrinks later is its daily work. Where
 * neither is seen, nothing is known.
 */
export function handovers(samples: readonly QueueSample[], port: number, all: readonly Handover[]): PortEvent[] {
  const own = samples.filter((sample) => sample.port === port);
  const shrinks = own.flatMap(({ atMonotonicUs, waiting }, index) =>
    waiting < (own[index - 1]?.waiting ?? 0) ? [atMonotonicUs] : [],
  );
  const waitedAt = (us: number): boolean => (own.findLast((sample) => sample.atMonotonicUs <= us)?.waiting ?? 0) > 0;
  return all.flatMap(({ toldUs, startUs, readyUs }) => {
    const shrinksUs = shrinks.find((us) => us >= startUs);
    const isEarlier = readyUs !== undefined && readyUs < (shrinksUs ?? Infinity) && !waitedAt(readyUs);
    const acceptingUs = isEarlier ? readyUs : shrinksUs;
    if (acceptingUs === undefined) return [];
    const lastUs = shrinks.findLast((us) => us < startUs) ?? toldUs;
    return [
      { port, kind: 'accept-stopped', atMonotonicUs: Math.max(toldUs, lastUs) },
      { port, kind: 'accepting', atMonotonicUs: acceptingUs },
    ];
  });
}

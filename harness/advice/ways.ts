/** The ways to restart a service that `advise` tries. */

/** A way to restart a service: an experiment, in words of its own. */
export interface Way {
  /** The experiment that measures it. */
  readonly id: string;
  readonly name: string;
  /** What a server must have for it. */
  readonly needs: string;
  /** What each deploy does. */
  readonly deploy: string;
}

const restart = 'restart the unit of the service';
const swap = 'start the unit that is down, wait until its health.ready answers 2xx, then stop the other';

/** The simplest first: of two that do the same, the one that stands first is taken. */
export const ways: readonly Way[] = [
  { id: 'E1', name: 'a plain restart', needs: 'nothing', deploy: restart },
  { id: 'E3', name: 'the proxy’s retry', needs: 'a line of the proxy’s file', deploy: restart },
  { id: 'E2', name: 'drain and check', needs: 'the proxy’s health check', deploy: restart },
  { id: 'E4', name: 'drain, check and retry', needs: 'the proxy’s health check and retry', deploy: restart },
  {
    id: 'E5',
    name: 'socket activation',
    needs: 'a socket unit, and a service that takes file descriptor 3',
    deploy: `${restart}, and leave the socket unit alone`,
  },
  {
    id: 'E8',
    name: 'one socket, two processes',
    needs: 'a socket unit, a holder, and two units on one store',
    deploy: swap,
  },
  {
    id: 'E6',
    name: 'blue-green by health check',
    needs: 'two units on one store, and the proxy’s health check',
    deploy: swap,
  },
  {
    id: 'E7',
    name: 'blue-green and retry',
    needs: 'two units on one store, the proxy’s health check and retry',
    deploy: swap,
  },
];

/** What tells most first: the baseline, then what may lose nothing, then what seldom does. */
const telling = ['E1', 'E5', 'E6', 'E8', 'E7', 'E3', 'E2', 'E4'];

/** The ways in the order in which they are tried. */
export const waysInOrder: readonly Way[] = telling.flatMap((id) => ways.find((way) => way.id === id) ?? []);

/** `socket activation (E5)`. */
export function wayText({ id, name }: Way): string {
  return `${name} (${id})`;
}

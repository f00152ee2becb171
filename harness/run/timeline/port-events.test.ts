import { describe, expect, it } from 'vitest';
import type { QueueSample } from '../files/queues.ts';
import { handovers, openings } from './port-events.ts';

/** Samples of port 80: when, and how many wait; null: nobody listens. */
const samplesOf = (...seen: [atMonotonicUs: number, waiting: number | null][]): QueueSample[] =>
  seen.map(([atMonotonicUs, waiting]) =>
    waiting === null ? { atMonotonicUs, port: 80, waiting: 0, closed: true } : { atMonotonicUs, port: 80, waiting },
  );

describe('a port that its process opens', () => {
  it.each([
    ['closes with an empty queue: when it closes', samplesOf([0, 0], [5, null], [9, 0]), [0, 5, 9]],
    [
      'closes with some waiting: since the queue last shrank',
      samplesOf([0, 0], [1, 3], [2, 1], [3, 2], [5, null], [9, 0]),
      [0, 2, 9],
    ],
    [
      'closes with those waiting who came at the end: since the first of them came',
      samplesOf([0, 0], [4, 1], [5, null], [9, 0]),
      [0, 4, 9],
    ],
    ['opens for the first time', samplesOf([0, null], [9, 0]), [9]],
    ['stays open', samplesOf([0, 0], [1, 4], [2, 0]), [0]],
  ])('%s', (_, samples, expected) => {
    expect(openings(samples, 80).map(({ atMonotonicUs }) => atMonotonicUs)).toEqual(expected);
  });
});

describe('a port that a socket unit keeps open', () => {
  it('has the window between the last time that its queue shrank, or SIGTERM, and the first after the start', () => {
    const samples = samplesOf([0, 0], [10, 1], [12, 0], [20, 5], [30, 9], [40, 2]);
    const at = (toldUs: number): number[] =>
      handovers(samples, 80, [{ toldUs, startUs: 25 }]).map(({ atMonotonicUs }) => atMonotonicUs);
    expect(at(11)).toEqual([12, 40]);
    expect(at(15)).toEqual([15, 40]);
  });

  it.each([
    // Its queue is empty when it is ready: that it shrinks at 90 is no news.
    ['ready before anybody waited', samplesOf([0, 0], [90, 1], [91, 0]), 30, [10, 30]],
    ['ready while some wait, who are taken later', samplesOf([0, 0], [15, 2], [50, 1]), 30, [10, 50]],
    ['ready after it took who waited', samplesOf([0, 0], [15, 2], [25, 0], [90, 1], [91, 0]), 30, [10, 25]],
    ['ready, and nobody ever waited', samplesOf([0, 0]), 30, [10, 30]],
  ])('%s', (_, samples, readyUs, expected) => {
    const events = handovers(samples, 80, [{ toldUs: 10, startUs: 20, readyUs }]);
    expect(events.map(({ atMonotonicUs }) => atMonotonicUs)).toEqual(expected);
  });

  it('has none that is known where nobody waited', () => {
    expect(handovers(samplesOf([0, 0]), 80, [{ toldUs: 1, startUs: 2 }])).toEqual([]);
  });
});

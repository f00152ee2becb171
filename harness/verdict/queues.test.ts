import { describe, expect, it } from 'vitest';
import { QueuePeaks } from './queues.ts';

const originUs = 1_000;
const spans = [
  { fromUs: 100, toUs: 200 },
  { fromUs: 150, toUs: 300 },
];

function peaks(...samples: [atUs: number, port: number, waiting: number][]): readonly (number | null)[] {
  const queues = new QueuePeaks([18_080, 18_180], originUs, spans);
  for (const [atUs, port, waiting] of samples) queues.add({ atMonotonicUs: originUs + atUs, port, waiting });
  return queues.result();
}

describe('the longest listen queue of each restart', () => {
  it('is the most that waited at one of the site’s public ports, within the restart', () => {
    expect(peaks([110, 18_080, 3], [120, 18_080, 2], [250, 18_180, 7])).toEqual([3, 7]);
    expect(peaks([160, 18_080, 4])).toEqual([4, 4]);
  });

  it('counts from the restart’s begin to before its end', () => {
    expect(peaks([99, 18_080, 9], [100, 18_080, 1])).toEqual([1, 0]);
    expect(peaks([199, 18_080, 1], [200, 18_080, 9], [300, 18_080, 11])).toEqual([1, 9]);
  });

  it('knows nothing of other ports, yet that somebody looked', () => {
    expect(peaks([110, 22, 5])).toEqual([0, 0]);
  });

  it('tells how often somebody looked, at whatever port', () => {
    const queues = new QueuePeaks([18_080], originUs, spans);
    for (const port of [18_080, 22, 18_080]) queues.add({ atMonotonicUs: originUs, port, waiting: 0 });
    expect(queues.samples).toBe(3);
  });

  it('tells when somebody looked at the site’s port for the first time', () => {
    const queues = new QueuePeaks([18_080, 18_180], originUs, spans);
    queues.add({ atMonotonicUs: 1, port: 22, waiting: 0 });
    expect(queues.siteFirstUs).toBeNull();
    for (const atMonotonicUs of [700, 800]) queues.add({ atMonotonicUs, port: 18_180, waiting: 0 });
    expect(queues.siteFirstUs).toBe(-300);
  });

  it.each<[samples: [atUs: number, port: number, waiting: number][], line: number | null]>([
    [
      [
        [1, 22, 0],
        [1, 80, 0],
        [2, 22, 1],
        [3, 22, 0],
      ],
      null,
    ],
    // What a line between them had said is gone.
    [
      [
        [1, 22, 0],
        [2, 80, 0],
        [3, 22, 0],
        [3, 22, 0],
      ],
      3,
    ],
    [
      [
        [2, 22, 0],
        [1, 22, 1],
      ],
      2,
    ],
    [[], null],
  ])('is told of changes, in the order of time: %j', (samples, line) => {
    const queues = new QueuePeaks([18_080], originUs, spans);
    for (const [atMonotonicUs, port, waiting] of samples) queues.add({ atMonotonicUs, port, waiting });
    expect(queues.wrongLine).toBe(line);
  });

  it('is not known where nobody looked', () => {
    expect(peaks()).toEqual([null, null]);
  });
});

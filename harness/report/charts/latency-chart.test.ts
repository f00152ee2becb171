import { describe, expect, it } from 'vitest';
import { LatencyPoints, type LatencyPoint } from './latency-chart.ts';

/** A million slots in 1000 s; of each tenth second a burst of 502s. */
function points(expected: number): { kept: LatencyPoints; drops: LatencyPoint[] } {
  const kept = new LatencyPoints(expected, 1_000_000);
  const drops: LatencyPoint[] = [];
  for (let seq = 0; seq < 100_000; seq++) {
    const latencyMs = seq === 77_777 ? 900 : 1 + (seq % 10) / 10;
    const point: LatencyPoint = {
      dueUs: seq * 10_000,
      latencyMs,
      name: seq % 10 < 3 || seq === 77_777 ? 'bad502' : 'ok',
    };
    if (point.name === 'bad502') drops.push(point);
    kept.add(point);
  }
  return { kept, drops };
}

describe('the points of a latency chart', () => {
  it('of a short run are all that is no plain answer', () => {
    const { kept, drops } = points(20_000);
    expect(kept.isMerged).toBe(false);
    expect(kept.points.filter(({ name }) => name === 'bad502')).toEqual(drops);
  });

  it('of a long run leave no drop without a point on its pixel, and cut no peak', () => {
    const { kept, drops } = points(1_000_000);
    const drawn = kept.points.filter(({ name }) => name === 'bad502');
    expect(drawn.length).toBeLessThan(drops.length / 5);
    expect(Math.max(...drawn.map(({ latencyMs }) => latencyMs))).toBe(900);
    // A pixel is 1000 s / 920 wide, and a 80th of a decade high.
    const isNear = (drop: LatencyPoint) => (point: LatencyPoint) =>
      Math.abs(point.dueUs - drop.dueUs) <= 1e9 / 920 &&
      Math.abs(Math.log10(point.latencyMs / drop.latencyMs)) <= 1 / 80;
    expect(drops.filter((_, index) => index % 50 === 0).filter((drop) => !drawn.some(isNear(drop)))).toEqual([]);
  });
});

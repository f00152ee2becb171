import { describe, expect, it } from 'vitest';
import e1 from '../../../experiments/E1-no-drain.ts';
import e5 from '../../../experiments/E5-socket-activation.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import type { ExperimentRun } from '../../run/run-record.ts';
import { poolRuns, type ShardRun } from './pool-runs.ts';
import type { Verdict } from '../record/verdict.ts';
import { runRecord, verdictOfTest } from '../testing.ts';

const socket = resolveExperiment(e5, {});

/** A run of 100 restarts, of a shard of its own unless said. */
function shardRun(
  nth: number,
  over: Partial<Verdict> = {},
  { run, shard }: { run?: Partial<ExperimentRun>; shard?: string } = {},
): ShardRun {
  const runId = `20261123T12000${nth}Z-abcd`;
  return {
    run: runRecord(socket, { runId, seed: nth, ...run }),
    verdict: verdictOfTest({ runId, restarts: 100, ...over }),
    folder: `shard-${nth}/E5/${runId}`,
    shard: shard ?? `shard-${nth}`,
  };
}

const four = [1, 2, 3, 4].map((nth) => shardRun(nth));

describe('runs from several machines', () => {
  it('come to the sum of their counts and its bound', () => {
    const { pooled } = poolRuns(four, 99);
    expect(pooled).toMatchObject({ verdict: 'pass', runs: 4, restarts: 400, badRestarts: 0, due: 1_200 });
    // One-sided: 1 − 0.05^(1/400).
    expect(pooled.badRestartsInterval95?.[1]).toBeCloseTo(0.00746, 5);
  });

  it('come to the same, byte for byte, in whatever order they are given', () => {
    const orders = [four, four.toReversed(), [...four.slice(2), ...four.slice(0, 2)]];
    const texts = orders.map((runs) => JSON.stringify(poolRuns(runs, 99)));
    expect(new Set(texts).size).toBe(1);
  });

  it('are inconclusive with one that is not like the others, which is named', () => {
    // 10 of 100 where the others have 0 of 300: by chance C(100, 10) / C(400, 10), below 10⁻⁶.
    const { pooled, odd } = poolRuns([...four.slice(0, 3), shardRun(4, { badRestarts: 10 })], null);
    expect(pooled.verdict).toBe('inconclusive');
    expect(odd).toMatchObject([{ firstRun: '20261123T120004Z-abcd', bad: 10, restarts: 100 }]);
    expect(pooled.reasons.join()).toContain('10 of its 100 restarts are bad, of theirs 0 of 300');
    // 2 of 100 are by chance, at p = 0.06; the two runs of one machine are judged as one.
    expect(poolRuns([...four.slice(0, 3), shardRun(4, { badRestarts: 2 })], null).odd).toEqual([]);
  });

  it('name the one that failed, or that cannot be trusted', () => {
    const bad = shardRun(4, { verdict: 'fail', reasons: ['Something was dropped.'] });
    expect(poolRuns([...four.slice(0, 3), bad], null).pooled).toMatchObject({
      verdict: 'fail',
      reasons: ['20261123T120004Z-abcd is fail: Something was dropped.'],
    });
  });

  const [first, ...others] = four;
  const unlike: [what: string, run: ShardRun, says: RegExp][] = [
    ['is there twice', shardRun(1), /20261123T120001Z-abcd is there twice/u],
    [
      'met another proxy',
      shardRun(5, {}, { run: { fingerprint: { ...first?.run.fingerprint, traefik: '3.6.24' } } }),
      /made in another lab .*traefik is 3\.6\.24, not/u,
    ],
    [
      'is of another experiment',
      shardRun(5, {}, { run: { experiment: runRecord(resolveExperiment(e1, {})).experiment } }),
      /another experiment than shard-1/u,
    ],
  ];
  it.each(unlike)('refuse one that %s', (_, run, says) => {
    expect(() => poolRuns([...others, ...(first === undefined ? [] : [first]), run], null)).toThrow(says);
  });

  it('may come from machines that differ', () => {
    const other = shardRun(5, {}, { run: { fingerprint: { ...first?.run.fingerprint, cpu: 'another' } } });
    expect(poolRuns([...four, other], null).pooled.verdict).toBe('pass');
  });
});

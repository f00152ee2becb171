/** For tests: ways that were measured, with made-up verdicts. */
import type { Verdict } from '../verdict/record/verdict.ts';
import { verdictOfTest } from '../verdict/testing.ts';
import type { Drops, Measured, NotTried } from './choose.ts';
import { ways, type Way } from './ways.ts';

function wayOf(id: string): Way {
  const way = ways.find((one) => one.id === id);
  if (way === undefined) throw new Error(`no way ${id}`);
  return way;
}

/** Lost nothing in eight restarts, unless a test says otherwise. */
export function measured(id: string, over: Partial<Verdict> = {}, drops: readonly Drops[] = []): Measured {
  const verdict = verdictOfTest({
    experiment: id,
    badRestartsInterval95: [0, 0.312],
    citation: `${id}@run: the line`,
    ...over,
  });
  return { kind: 'measured', way: wayOf(id), verdict, folder: `reports/${id}/run`, drops };
}

/** Dropped so many in eight restarts; all of them bad. */
export function lossy(id: string, drops: readonly Drops[], over: Partial<Verdict> = {}): Measured {
  const countOf = (some: readonly Drops[]): number => some.reduce((sum, { count }) => sum + count, 0);
  const posts = countOf(drops.filter(({ method }) => method === 'POST'));
  const dropped = countOf(drops);
  return measured(
    id,
    {
      verdict: 'fail',
      dropped,
      provenDropped: dropped,
      due: 4_000,
      badRestarts: 8,
      badRestartsInterval95: [0.63, 1],
      byMethod: { POST: { due: 2_000, sent: 2_000, dropped: posts, outcomes: {} } },
      ...over,
    },
    drops,
  );
}

/** A run that cannot be trusted, and dropped nothing. */
export function late(id: string, over: Partial<Verdict> = {}): Measured {
  return measured(id, { verdict: 'inconclusive', reasons: ['Requests left late. [late-schedule]'], ...over });
}

/** A way of which there is no run. */
export function notTried(id: string, why: string): NotTried {
  return { kind: 'not-tried', way: wayOf(id), why };
}

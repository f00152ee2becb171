/** Runs of one experiment, made on whichever machines, as one claim: are they of one kind, and do they agree? */
import { fisherExact } from '../../base/exact-tests.ts';
import { sumOf } from '../../base/sums.ts';
import { HarnessError } from '../../base/errors.ts';
import { differences, flatFields, type Difference } from '../../experiment/differences.ts';
import { pool, type Pooled } from './pool.ts';
import type { ReadRun } from '../record/read-run.ts';
import { isConclusive } from '../record/verdict.ts';

/** Fields of the fingerprint in which machines may differ; all others are what is measured. */
const ofMachine = new Set(['cpu', 'cpus', 'kernel', 'engine', 'storage', 'cgroup']);
/** Below this probability, divided by the number of shards (Bonferroni), a shard is called the odd one out. */
const significance = 0.05;

/** A run, and the shard that it belongs to. */
export interface ShardRun extends ReadRun {
  readonly folder: string;
  /** Runs of one shard were made on one machine. */
  readonly shard: string;
}

/** What `merge --json` prints. */
export interface PooledRuns {
  readonly schema: 1;
  readonly experiment: string;
  readonly variant: string | null;
  readonly pooled: Pooled;
  /** Shards whose share of bad restarts is not that of the others: the probability of it by chance. */
  readonly odd: readonly {
    readonly firstRun: string;
    readonly bad: number;
    readonly restarts: number;
    readonly p: number;
  }[];
  /** In the order of their names. */
  readonly runs: readonly ReturnType<typeof pooledRun>[];
}

/**
 * Adds up the runs; the order in which they come changes nothing.
 * @throws {HarnessError} `gate-unusable` naming what keeps two runs from being added up
 */
export function poolRuns(given: readonly ShardRun[], cleanPercent: number | null): PooledRuns {
  const runs = given.toSorted((a, b) => (a.verdict.runId < b.verdict.runId ? -1 : 1));
  const [first] = runs;
  if (first === undefined) throw refused('There is no run to add up.');
  for (const [index, run] of runs.entries()) refuseUnlike(first, run, runs[index - 1]);
  const pooled = pool(
    runs.map(({ verdict }) => verdict),
    cleanPercent,
  );
  const odd = oddShards(runs);
  const disagreeing = odd.map(
    ({ firstRun, bad, restarts }) =>
      `The shard of ${firstRun} is not like the others: ${bad} of its ${restarts} restarts are bad, of theirs ` +
      `${pooled.badRestarts - bad} of ${pooled.restarts - restarts}.`,
  );
  return {
    schema: 1,
    experiment: first.verdict.experiment,
    variant: first.verdict.variant,
    pooled: {
      ...pooled,
      verdict: pooled.verdict === 'pass' && odd.length > 0 ? 'inconclusive' : pooled.verdict,
      reasons: [...pooled.reasons, ...disagreeing],
    },
    odd,
    runs: runs.map(pooledRun),
  };
}

function pooledRun({ run, verdict }: ShardRun) {
  const { runId, badRestarts, restarts, dropped, due } = verdict;
  return {
    ...{ runId, seed: run.seed, verdict: verdict.verdict, badRestarts, restarts, dropped, due },
    ledger: verdict.hashes.ledger,
    machine: [...ofMachine].map((name) => run.fingerprint[name] ?? 'unknown').join(', '),
  };
}

function refuseUnlike(first: ShardRun, { run, verdict, folder }: ShardRun, before: ShardRun | undefined): void {
  if (run.kind !== 'experiment' || first.run.kind !== 'experiment') {
    throw refused(`${folder} is a run of a service of one's own: only runs of experiments are added up.`);
  }
  if (before?.verdict.runId === verdict.runId) throw refused(`${verdict.runId} is there twice.`);
  const names = (of: readonly Difference[]): string =>
    of
      .slice(0, 5)
      .map(({ name, a, b }) => `${name} is ${b ?? 'absent'}, not ${a ?? 'absent'}`)
      .join(', ');
  const settings = differences(flatFields(first.run.experiment), flatFields(run.experiment));
  if (settings.length > 0)
    throw refused(`${folder} is a run of another experiment than ${first.folder}: ${names(settings)}.`);
  const lab = differences(first.run.fingerprint, run.fingerprint).filter(({ name }) => !ofMachine.has(name));
  if (lab.length > 0) throw refused(`${folder} was made in another lab than ${first.folder}: ${names(lab)}.`);
}

/** Fisher's exact test of each shard against all others, two-sided. */
function oddShards(runs: readonly ShardRun[]): PooledRuns['odd'] {
  const shards = Map.groupBy(
    runs.filter(({ verdict }) => isConclusive(verdict)),
    ({ shard }) => shard,
  );
  const restartsOf = (some: readonly ShardRun[]) => ({
    bad: sumOf(some, ({ verdict }) => verdict.badRestarts),
    all: sumOf(some, ({ verdict }) => verdict.restarts),
  });
  const whole = restartsOf([...shards.values()].flat());
  return [...shards.values()].flatMap((own) => {
    const { bad, all } = restartsOf(own);
    const p = fisherExact({ bad, all }, { bad: whole.bad - bad, all: whole.all - all }, 'other');
    const isOdd = p < significance / shards.size;
    return isOdd ? [{ firstRun: own[0]?.verdict.runId ?? '', bad, restarts: all, p }] : [];
  });
}

function refused(what: string): HarnessError {
  return new HarnessError('gate-unusable', what, {
    hint: 'Runs are added up that are of one experiment, one variant, one state of the project and one lab.',
  });
}

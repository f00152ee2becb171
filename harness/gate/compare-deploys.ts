/** Two deploys, measured in turn: which of them drops less? By the exact tests of the gate, restart by restart. Pure. */
import { counted } from '../base/counted.ts';
import { fisherExact, permutationTest, significantOfTwo as significantBelow } from '../base/exact-tests.ts';
import { differences, flatFields, type Difference } from '../experiment/differences.ts';
import type { RunRecord } from '../run/run-record.ts';
import { pool, type Pooled } from '../verdict/pool/pool.ts';
import type { ReadRun } from '../verdict/record/read-run.ts';
import { dropsByRestart, isConclusive } from '../verdict/record/verdict.ts';

/** More restarts a side than this are not looked at when a number of them is proposed. */
const mostProposed = 1_000;

/** One of the two. */
export interface Deploy {
  readonly name: string;
  /** Its measurements, in the order in which they were made. */
  readonly runs: readonly ReadRun[];
}

/** What `measure --compare --json` prints. */
export interface DeployComparison {
  readonly schema: 1;
  readonly a: DeployFigures;
  readonly b: DeployFigures;
  /** The probability of a difference this large without a cause. */
  readonly tests: {
    readonly significantBelow: number;
    /** Fisher's exact test, two-sided, on the share of bad restarts. */
    readonly badRestartsP: number;
    /** The exact permutation test, two-sided, on drops restart by restart. */
    readonly droppedPerRestartP: number;
  };
  /**
   * `mixed`: one has fewer bad restarts, and the other fewer drops. `none`: there is nothing to compare, or what was left out
   * could tilt it: a late restart that dropped nothing is left out, and one that dropped something is not.
   */
  readonly less: 'a' | 'b' | 'neither' | 'mixed' | 'none';
  /** Settings other than the command in which the two differ: they may cause what differs. */
  readonly alsoDiffers: readonly Difference[];
  readonly sentence: string;
}

/** What one deploy came to. */
export interface DeployFigures extends Pooled {
  readonly name: string;
  readonly runIds: readonly string[];
  /** Why measurements are not part of the sums. */
  readonly leftOutBecause: readonly string[];
}

/** Compares two deploys; measurements that cannot be trusted are no part of it. */
export function compareDeploys(a: Deploy, b: Deploy): DeployComparison {
  const [figuresA, figuresB] = [figuresOf(a), figuresOf(b)];
  const share = ({ badRestarts: bad, restarts: all }: DeployFigures) => ({ bad, all });
  const tests = {
    significantBelow,
    badRestartsP: fisherExact(share(figuresA), share(figuresB), 'other'),
    droppedPerRestartP: permutationTest(dropsOf(a), dropsOf(b), 'other'),
  };
  const leftOut = leftOutText([...a.runs, ...b.runs]);
  const less = leftOut === null ? lessOf(figuresA, figuresB, tests) : 'none';
  return {
    schema: 1,
    a: figuresA,
    b: figuresB,
    tests,
    less,
    alsoDiffers: differingSettings(a, b),
    sentence:
      leftOut === null || figuresA.restarts === 0 || figuresB.restarts === 0
        ? sentenceOf(less, figuresA, figuresB)
        : `Nothing is told: ${leftOut}, so that the others are no fair sample. Seen: ${seenOf(figuresA)}, ${seenOf(figuresB)}.`,
  };
}

/**
 * How few bad restarts of the one can be told from none of the other, with so many restarts each.
 * @returns null where not even all can
 */
export function leastTold(restarts: number): number | null {
  for (let bad = 1; bad <= restarts; bad++) {
    if (fisherExact({ bad, all: restarts }, { bad: 0, all: restarts }, 'other') < significantBelow) return bad;
  }
  return null;
}

function figuresOf({ name, runs }: Deploy): DeployFigures {
  const verdicts = runs.map(({ verdict }) => verdict);
  return {
    name,
    ...pool(verdicts),
    runIds: verdicts.map(({ runId }) => runId),
    leftOutBecause: verdicts
      .filter((verdict) => !isConclusive(verdict))
      .map(({ runId, verdict, reasons }) => `${runId} is ${verdict}: ${reasons[0] ?? ''}`.trim()),
  };
}

function dropsOf({ runs }: Deploy): number[] {
  return runs.flatMap(({ verdict }) => (isConclusive(verdict) ? dropsByRestart(verdict) : []));
}

/** What is not part of the sums; null where all is. */
function leftOutText(runs: readonly ReadRun[]): string | null {
  const untrusted = runs.filter(({ verdict }) => !isConclusive(verdict)).length;
  if (untrusted > 0) return `${untrusted} of ${runs.length} measurements cannot be trusted`;
  const all = runs.flatMap(({ verdict }) => verdict.perRestart);
  const late = all.filter(({ voided, droppedInRestart }) => voided && droppedInRestart === 0).length;
  return late === 0 ? null : `of ${all.length} restarts ${late} met a load that was not on time`;
}

function lessOf(
  a: DeployFigures,
  b: DeployFigures,
  { badRestartsP, droppedPerRestartP }: DeployComparison['tests'],
): DeployComparison['less'] {
  if (a.restarts === 0 || b.restarts === 0) return 'none';
  const shareOf = ({ badRestarts, restarts }: DeployFigures): number => badRestarts / restarts;
  const meanOf = ({ droppedPerRestart }: DeployFigures): number => droppedPerRestart?.mean ?? 0;
  const told = new Set<'a' | 'b'>();
  if (badRestartsP < significantBelow) told.add(shareOf(a) < shareOf(b) ? 'a' : 'b');
  if (droppedPerRestartP < significantBelow) told.add(meanOf(a) < meanOf(b) ? 'a' : 'b');
  const [first] = told;
  return told.size === 2 ? 'mixed' : (first ?? 'neither');
}

function differingSettings(a: Deploy, b: Deploy): Difference[] {
  const [one, other] = [a.runs[0], b.runs[0]];
  if (one === undefined || other === undefined) return [];
  const settingsOf = (run: RunRecord) => (run.kind === 'measure' ? flatFields(run.service) : {});
  return differences(settingsOf(one.run), settingsOf(other.run)).filter(({ name }) => name !== 'whileCommand');
}

function sentenceOf(less: DeployComparison['less'], a: DeployFigures, b: DeployFigures): string {
  if (less === 'none')
    return `Nothing can be compared: ${a.restarts === 0 ? a.name : b.name} has no restart that counts.`;
  const seen = `${seenOf(a)}, ${seenOf(b)}.`;
  if (less === 'neither') return `No significant difference: ${seen}${moreText(a, b)}`;
  if (less === 'mixed') return `One has fewer bad restarts, and the other drops fewer requests: ${seen}`;
  return `${(less === 'a' ? a : b).name} drops less: ${seen}`;
}

function seenOf({ name, badRestarts, restarts, dropped }: DeployFigures): string {
  return `${name} dropped something in ${badRestarts} of ${restarts} restarts (${counted(dropped, 'request')})`;
}

/** How many restarts would tell shares such as those that were seen. */
function moreText(a: DeployFigures, b: DeployFigures): string {
  const [shareA, shareB] = [a.badRestarts / a.restarts, b.badRestarts / b.restarts];
  if (shareA === shareB) return '';
  for (let all = 2; all <= mostProposed; all++) {
    const of = (share: number) => ({ bad: Math.round(share * all), all });
    if (fisherExact(of(shareA), of(shareB), 'other') < significantBelow) {
      return ` Were these the shares of all restarts, about ${all} of each would tell.`;
    }
  }
  return '';
}

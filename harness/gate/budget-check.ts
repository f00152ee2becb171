/** One budget against one verdict. Pure. */
import type { Verdict } from '../verdict/record/verdict.ts';
import type { Budget } from './files/budgets.ts';
import { figures, valueText } from './figures.ts';
import type { Check } from './gate-result.ts';

/** What is allowed, from where to where; a side that is left out is open. */
interface Limit {
  readonly low?: number;
  readonly high?: number;
  readonly text: string;
}

/** The answer. A figure that the run does not have misses its budget: what was not measured is not within it. */
export function checkBudget(budget: Budget, verdict: Verdict): Check {
  const { figure, blocking, because, line } = budget;
  const value = figures[figure].of(verdict);
  const limits = limitsOf(budget, verdict);
  const unknown = limits.find((limit) => typeof limit === 'string');
  const known = limits.filter((limit) => typeof limit !== 'string');
  const isMet = known.every(({ low = -Infinity, high = Infinity }) => value !== null && value >= low && value <= high);
  return {
    kind: 'budget',
    what: figures[figure].what,
    runId: verdict.runId,
    measured: measuredText(budget, verdict, value),
    allowed: unknown ?? known.map(({ text }) => text).join(', '),
    outcome: unknown === undefined && isMet ? 'met' : 'missed',
    blocking,
    because,
    line,
  };
}

function measuredText({ figure }: Budget, { restarts }: Verdict, value: number | null): string {
  if (value === null) return 'not measured';
  return figure === 'badRestarts' ? `${value} of ${restarts}` : valueText(figure, value);
}

/** The limits that the budget names, as they are for this run; a sentence where one cannot be known. */
function limitsOf(budget: Budget, { restarts, predicted, longestOutageMs }: Verdict): (Limit | string)[] {
  const { figure, min, max, all, withinPercentOfPrediction: within, abovePercentOfOutage: above } = budget;
  const limits: (Limit | string)[] = [];
  if (min !== undefined) limits.push({ low: min, text: `at least ${valueText(figure, min)}` });
  if (max !== undefined) limits.push({ high: max, text: `at most ${valueText(figure, max)}` });
  if (all !== undefined) {
    limits.push(
      restarts === 0 ? 'every restart, and there was none' : { low: restarts, high: restarts, text: 'every restart' },
    );
  }
  if (within !== undefined) limits.push(aroundPrediction(predicted.range, within));
  if (above !== undefined) {
    const high = (longestOutageMs ?? 0) * (1 + above / 100);
    limits.push(
      longestOutageMs === null
        ? `${above} % above the longest outage window, which was not seen`
        : { high, text: `at most ${high.toFixed(0)} ms (longest outage window + ${above} %)` },
    );
  }
  return limits;
}

function aroundPrediction(range: Verdict['predicted']['range'], percent: number): Limit | string {
  if (range === null) return `within ${percent} % of a prediction, and there is none`;
  const [low, high] = [range[0] * (1 - percent / 100), range[1] * (1 + percent / 100)];
  const predicted = range[1] - range[0] < 1 ? range[0].toFixed(0) : `${range[0].toFixed(0)} to ${range[1].toFixed(0)}`;
  return { low, high, text: `${low.toFixed(0)} to ${high.toFixed(0)} (predicted ${predicted}, ± ${percent} %)` };
}

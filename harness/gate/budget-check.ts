/** One budget against one verdict. Pure. */
import type { Verdict } from '../verdict/verdict.ts';
import type { Budget } from './budgets.ts';
import { figures, valueText } from './figures.ts';
import type { Check } from './gate-result.ts';

/** What is allowed, from where to where; a side that is null is open. */
interface Limits {
  readonly low: number | null;
  readonly high: number | null;
  readonly text: string;
}

/** The answer. A figure that the run does not have misses its budget: what was not measured is not within it. */
export function checkBudget(budget: Budget, verdict: Verdict): Check {
  const { figure, blocking, because, line } = budget;
  const value = figures[figure].of(verdict);
  const limits = limitsOf(budget, verdict);
  const common = { kind: 'budget' as const, what: figures[figure].what, runId: verdict.runId, blocking, because, line };
  if (value === null || typeof limits === 'string') {
    const measured = value === null ? 'not measured' : valueText(figure, value);
    return { ...common, measured, allowed: typeof limits === 'string' ? limits : limits.text, outcome: 'missed' };
  }
  const met = value >= (limits.low ?? -Infinity) && value <= (limits.high ?? Infinity);
  const measured = figure === 'badRestarts' ? `${value} of ${verdict.restarts}` : valueText(figure, value);
  return { ...common, measured, allowed: limits.text, outcome: met ? 'met' : 'missed' };
}

/** Limits in force for this run, the narrowest of those that the budget names; a sentence where one cannot be known. */
function limitsOf(budget: Budget, verdict: Verdict): Limits | string {
  const { figure, min, max, all, withinPercentOfPrediction: within, abovePercentOfOutage: above } = budget;
  const parts: Limits[] = [];
  if (min !== undefined) parts.push({ low: min, high: null, text: `at least ${valueText(figure, min)}` });
  if (max !== undefined) parts.push({ low: null, high: max, text: `at most ${valueText(figure, max)}` });
  if (all !== undefined) {
    if (verdict.restarts === 0) return 'every restart, and there was none';
    parts.push({ low: verdict.restarts, high: verdict.restarts, text: 'every restart' });
  }
  if (within !== undefined) {
    const { range } = verdict.predicted;
    if (range === null) return `within ${within} % of a prediction, and there is none`;
    const [low, high] = [range[0] * (1 - within / 100), range[1] * (1 + within / 100)];
    const predicted =
      range[1] - range[0] < 1 ? range[0].toFixed(0) : `${range[0].toFixed(0)} to ${range[1].toFixed(0)}`;
    parts.push({
      low,
      high,
      text: `${low.toFixed(0)} to ${high.toFixed(0)} (predicted ${predicted}, ± ${within} %)`,
    });
  }
  if (above !== undefined) {
    if (verdict.longestOutageMs === null) return `${above} % above the longest outage window, which was not seen`;
    const high = verdict.longestOutageMs * (1 + above / 100);
    parts.push({ low: null, high, text: `at most ${high.toFixed(0)} ms (longest outage window + ${above} %)` });
  }
  const lows = parts.map(({ low }) => low).filter((low) => low !== null);
  const highs = parts.map(({ high }) => high).filter((high) => high !== null);
  return {
    low: lows.length === 0 ? null : Math.max(...lows),
    high: highs.length === 0 ? null : Math.min(...highs),
    text: parts.map(({ text }) => text).join(', '),
  };
}

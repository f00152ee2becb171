/** Exact binomial bounds (Clopper and Pearson, Biometrika 26, 1934), by way of quantiles of the beta distribution. */
import jstat from 'jstat';

/**
 * Two-sided exact interval of a share, of `successes` in `trials`.
 * The bound on zero successes is one-sided (0 of 8 is ≤ 31.2 %): nothing lies below zero.
 * @returns undefined when there was no trial, which bounds nothing
 */
export function exactInterval(
  successes: number,
  trials: number,
  confidence = 0.95,
): [low: number, high: number] | undefined {
  if (trials === 0) return undefined;
  const error = 1 - confidence;
  if (successes === 0) return [0, 1 - error ** (1 / trials)];
  if (successes === trials) return [(error / 2) ** (1 / trials), 1];
  return [
    jstat.beta.inv(error / 2, successes, trials - successes + 1),
    jstat.beta.inv(1 - error / 2, successes + 1, trials - successes),
  ];
}

/** A claim about all restarts, such as "99 % are clean": does this run's number of them bear it? */
import type { Experiment } from '../../experiment/experiment.ts';
import { exactInterval } from '../../base/interval.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { restartsFor } from './power.ts';

/** What the restarts say of a claim: borne, refuted, or too few to tell, which is a sentence. */
export type ClaimAnswer = { readonly kind: 'borne' | 'refuted' } | { readonly kind: 'too-few'; readonly why: string };

/** What a run claims; undefined where it claims nothing. */
export function claimOf(run: RunRecord): Experiment['expect']['claim'] {
  if (run.kind === 'experiment') return run.experiment.expect.claim;
  const { claimPercent } = run.service;
  return claimPercent === undefined
    ? undefined
    : { cleanPercent: claimPercent, because: 'the claim that --claim makes' };
}

/**
 * Borne where the exact 95 % bound of the share of bad restarts lies within what the claim allows, refuted where all of
 * the interval lies above it.
 */
export function answerClaim(
  { cleanPercent }: NonNullable<Experiment['expect']['claim']>,
  badRestarts: number,
  restarts: number,
): ClaimAnswer {
  const allowed = 1 - cleanPercent / 100;
  const [low, high] = exactInterval(badRestarts, restarts) ?? [0, 1];
  if (high <= allowed) return { kind: 'borne' };
  if (low > allowed) return { kind: 'refuted' };
  const needed = restartsFor(cleanPercent / 100);
  return {
    kind: 'too-few',
    why:
      `Too few restarts for the claim that ${cleanPercent} % of them are clean: ${badRestarts} of ${restarts} dropped ` +
      `something, which bounds the bad ones to ${(100 * high).toFixed(1)} %; it takes ${needed} clean ones in a row ` +
      `(--restarts ${needed}).`,
  };
}

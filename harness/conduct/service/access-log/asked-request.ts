/** One of the load's requests, as a log shows it: by what a line without an id may be of this load. */
import type { PlanMixEntry } from '../../../in-lab/load/plan.ts';

/** One of the load's requests, as a log shows it. */
export interface AskedRequest {
  readonly method: string;
  /** As the ledger has it. */
  readonly path: string;
  /** What path and query look like as they are sent. */
  readonly target: RegExp;
}

type Entry = Pick<PlanMixEntry, 'method' | 'path' | 'mixed'> & { readonly fixed?: { readonly target?: string } };

/** How a log shows this request of the plan. */
export function askedRequest({ method, path, mixed, fixed }: Entry): AskedRequest {
  const target = mixed?.target ?? [fixed?.target ?? path];
  // At odd places stands what is filled in.
  const whole = target.map((text, index) => (index % 2 === 0 ? literal(text) : '[^/?&# ]*')).join('');
  // Some formats leave out the query.
  const [beforeQuery = ''] = whole.split(literal('?'));
  return { method, path, target: new RegExp(`^(?:${whole}|${beforeQuery})$`, 'u') };
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/gu, String.raw`\$&`);
}

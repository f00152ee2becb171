/** Did a service of the user's keep the connections that the load meant to keep? */
import type { Ask } from '../ledger-summary.ts';
import type { Verdict } from '../record/verdict.ts';

type KeptReuse = Verdict['keptReuse'];

/** Nothing where no request on a kept connection was answered outside of a restart. */
export async function keptReuseOf(ask: Ask): Promise<KeptReuse> {
  const [counts] = await ask<NonNullable<KeptReuse>>('kept-reuse');
  return counts === undefined || counts.answered === 0 ? undefined : counts;
}

/** A reader must know where most requests had to open a connection: then closes of kept ones were hardly tested. */
export function keptReuseNote(keptReuse: KeptReuse): string | false {
  const { answered, reused } = keptReuse ?? { answered: 0, reused: 0 };
  return (
    2 * reused < answered &&
    `Kept connections were ${reused === 0 ? 'not' : 'hardly'} tested: while nothing restarted, ${reused} of ${answered} ` +
      'answers came on a connection used before. A server that closes after each answer (gunicorn’s sync worker, ' +
      'HTTP/1.0) keeps none, and with slow answers and a short load each connection has its first.'
  );
}

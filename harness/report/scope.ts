/** What a run holds for: the kind of requests that were made, and no other. */
import type { RunRecord } from '../run/run-record.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { labDeadlineMs, askedMs } from '../run/site-requests.ts';

/**
 * The scope, in one line. How long requests took is the run's own: in the lab the longest time that the mix asks the site
 * for; of a user's service the longest answer that was seen.
 */
export function scopeText(run: RunRecord, { longestWaitMs }: Verdict): string {
  const seconds = (ms: number): string => (ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);
  const [longestMs, deadlineMs] =
    run.kind === 'experiment'
      ? [Math.max(...run.experiment.load.mix.map(({ path }) => askedMs(path))), labDeadlineMs]
      : [longestWaitMs ?? 0, run.service.timeoutMs];
  return (
    'HTTP/1.1, no TLS, no upgraded connections, requests ' +
    `${longestMs === 0 ? 'that take no time of their own' : `up to ${seconds(longestMs)}`} ` +
    `(given up ${seconds(deadlineMs)} after their due time), one host.`
  );
}

/** The one line that goes into a document. */
import { subjectOf, type RunRecord } from '../run/run-record.ts';
import { present } from '../base/present.ts';
import { exactInterval } from '../base/interval.ts';
import { isConclusive, type Verdict } from './record/verdict.ts';

/** Experiment, run, bad restarts with their exact bound, drops, wait, versions, and the ledger's hash. */
export function citationLine(cited: Verdict, run: RunRecord): string {
  // A proxy that the load never met bounds nothing.
  const hasProxy = run.kind === 'experiment' && run.experiment.proxy.kind !== 'none';
  const parts = present([
    cited.headline,
    cited.restarts === 0
      ? noRestartText(cited)
      : `${restartsText(cited)} dropped ${cited.badRestarts === 0 ? 'anything' : 'something'}${boundIn(cited, run)}`,
    `${cited.dropped} of ${cited.due} requests at ${subjectOf(run).ratePerSecond}/s${kindsIn(cited, run)}`,
    waitText(cited, hasProxy),
    versionsIn(run, present([hasProxy && 'traefik', 'systemd', 'node', 'kernel'])).join(', '),
    run.kind === 'measure' && run.service.tls?.isInsecure === true && 'certificate not checked',
    `ledger sha256:${cited.hashes.ledger.slice(0, 16)}`,
  ]);
  const doubt = !isConclusive(cited)
    ? ` [${cited.verdict}: not citable]`
    : cited.controls === null
      ? ' [without controls: not for citing]'
      : '';
  return `${cited.experiment}@${cited.runId}:${doubt} ${parts.join('; ')}`;
}

/** Those versions of the lab that are known: `systemd 252`. */
export function versionsIn({ fingerprint }: RunRecord, names: readonly string[]): string[] {
  return names.flatMap((name) => (fingerprint[name] === undefined ? [] : `${name} ${fingerprint[name]}`));
}

/** Did the command on a user's service fail, or was it cut short? Then what it did is no restart that bounds any other. */
export function isHalfDone(run: RunRecord): boolean {
  return run.kind === 'measure' && (run.aborted !== null || run.troubles.length > 0);
}

/** The bound behind a count of bad restarts; nothing where they bound nothing. */
export function boundIn(cited: Parameters<typeof boundText>[0], run: RunRecord): string {
  return isHalfDone(run) ? '' : ` (${boundText(cited)})`;
}

/** How many restarts dropped something, and of how many sites they are where there are several. */
export function restartsText({
  badRestarts,
  restarts,
  perSite,
}: Pick<Verdict, 'badRestarts' | 'restarts'> & { readonly perSite?: readonly unknown[] | undefined }): string {
  const sites = perSite === undefined ? '' : ` of ${perSite.length} sites`;
  return `${badRestarts} of ${restarts} restarts${sites}`;
}

/** Of a service that the user runs, of which there is no other witness: what kind the failures were. */
function kindsIn(cited: Verdict, run: RunRecord): string {
  const kinds = kindsText(cited);
  if (run.kind !== 'measure' || kinds === null) return '';
  const { resent, droppedAtBest } = cited.retryingClient;
  const retried = resent === 0 ? '' : `; ${droppedAtBest} for a client that sends idempotent requests again`;
  return ` (${kinds}${retried})`;
}

/** Failures by kind, the most frequent first; null where there were none. */
export function kindsText({ failureKinds }: Pick<Verdict, 'failureKinds'>): string | null {
  const counts = Object.entries(failureKinds).sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  return counts.length === 0 ? null : counts.map(([kind, count]) => `${count} ${kind}`).join(', ');
}

/** The longest wait; where a probe without the proxy waited longer, its wait too, since that is what such a client meets. */
function waitText({ longestWaitMs, direct, perSite }: Verdict, hasProxy: boolean): string {
  if (longestWaitMs === null) return 'no ok answer';
  const text = `longest wait ${longestWaitMs.toFixed(0)} ms`;
  const directMs = direct?.longestWaitMs ?? null;
  return !hasProxy || directMs === null || directMs <= longestWaitMs
    ? text
    : `${text} through the proxy, ${directMs.toFixed(0)} ms straight to the ${perSite === undefined ? '' : 'first '}site`;
}

/** Where no restart counts: none was made, or all were void. */
export function noRestartText({ voidRestarts }: Pick<Verdict, 'voidRestarts'>): string {
  return voidRestarts === 0 ? 'no restart' : `no restart that counts (${voidRestarts} void)`;
}

/** The bound on the share of bad restarts, in words. */
export function boundText({
  badRestarts,
  badRestartsInterval95,
}: Pick<Verdict, 'badRestarts' | 'badRestartsInterval95'>): string {
  if (badRestartsInterval95 === null) return 'no restart bounds nothing';
  const share = shareText(badRestarts, badRestartsInterval95);
  return badRestarts === 0 ? `${share}, one-sided exact 95 %` : `${share}, exact 95 %`;
}

/** The same in short, of these restarts; null where there was none. */
export function boundOf({ badRestarts, restarts }: Pick<Verdict, 'badRestarts' | 'restarts'>): string | null {
  const interval = exactInterval(badRestarts, restarts);
  return interval === undefined ? null : shareText(badRestarts, interval);
}

function shareText(badRestarts: number, interval: readonly [low: number, high: number]): string {
  const [low, high] = interval.map((share) => `${(share * 100).toFixed(1)} %`);
  return badRestarts === 0 ? `≤ ${high}` : `${low} to ${high}`;
}

/** One run of the user's command under the load, and the wait until the service is steady again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RunningCommand, type LeftRunning } from './command.ts';
import type { MeasureTimes } from './deploy-times.ts';
import type { ServiceFiles } from './service-files.ts';
import type { Shell } from './shell.ts';
import type { Steadiness } from './steadiness.ts';
import type { Target } from './target.ts';

/** What goes on around a deploy. */
export interface DeploySetting {
  readonly target: Target;
  readonly times: MeasureTimes;
  readonly seed: number;
  readonly evenIfFailing: boolean;
  readonly files: ServiceFiles;
  readonly steadiness: Steadiness;
  /** Requests that have an outcome by now. */
  readonly settled: () => number;
  /** Microseconds since the first due time. */
  readonly nowUs: () => number;
  /** The run is cut short, or its load has ended. */
  readonly signal: AbortSignal;
  readonly onNote: (text: string) => void;
  readonly onOutput: (text: string) => void;
}

/** Which of the deploys it is. */
interface Turn {
  readonly restart: number;
  readonly restarts: number;
}

/** How a deploy came out; only after one that is steady another may follow. */
export type DeployEnd =
  | { readonly kind: 'steady'; readonly beginUs: number }
  | { readonly kind: 'over' }
  | { readonly kind: 'cut-short'; readonly why: string };

const pollMs = 100;

/** Runs the command once, and waits for its end and for the service; what it leaves running is `left`'s then. */
export async function runDeploy(
  setting: DeploySetting,
  shell: Shell,
  left: LeftRunning,
  { restart, restarts }: Turn,
): Promise<DeployEnd> {
  const { target, times, files, signal, nowUs, onNote, onOutput } = setting;
  const { whileCommand, restarts: asked } = target.service;
  const detail = whileCommand ?? '';
  const name = shell.words.join(' ');
  const which = `restart ${restart} of ${restarts}`;
  const [before, within] = restarts === 1 ? ['', ''] : [`${which}: `, `, in ${which}`];
  // Told only to those who asked for restarts: a command may have a variable RESTART of its own.
  const variables = asked === undefined ? {} : { RESTART: String(restart), RESTARTS: String(restarts) };
  const beginUs = nowUs();
  const command = await RunningCommand.start(shell, target.command ?? '', onOutput, variables);
  await left.add(command);
  await files.addEvent({ atUs: beginUs, kind: 'deploy-begin', restart, detail });
  if (restart === 1) await files.writer.know({ commandRun: true, shell: name });
  onNote(`${before}running under ${name}: ${detail}`);
  const end = await Promise.race([command.ended, passed(times.whileTimeoutMs, signal)]);
  if (signal.aborted) return { kind: 'over' };
  if (end === null) {
    const time = `${times.whileTimeoutMs / 1000} s (--while-timeout)`;
    const why = `The command had not ended after ${time}${within}: it was ended, and the run with it.`;
    return { kind: 'cut-short', why };
  }
  const endUs = nowUs();
  await files.addEvent({ atUs: endUs, kind: 'deploy-end', restart, detail: end.how });
  if (end.failure !== null) {
    const last = restart < restarts ? ', which was the last' : '';
    const trouble = `The command ${end.failure}${within}${last}: what was measured is not the deploy that was meant (run by ${name}).`;
    await files.writer.know({ troubles: [trouble] });
  }
  onNote(`${before}the command ended with ${end.how}; waiting until the service is steady`);
  const isLast = end.failure !== null || restart === restarts;
  const isSteady = await settle(setting, { restart, endUs, isLast });
  return isSteady && end.failure === null ? { kind: 'steady', beginUs } : { kind: 'over' };
}

/** Waits until the service has answered steadily since the command's end, or its time for that has passed. */
async function settle(
  setting: DeploySetting,
  { restart, endUs, isLast }: { restart: number; endUs: number; isLast: boolean },
): Promise<boolean> {
  const { steadiness, files, nowUs, signal } = setting;
  const { durationMs, settleTimeoutMs } = setting.times;
  // The whole load has a least length; the last deploy waits for it.
  const leastUs = isLast ? durationMs * 1000 : 0;
  const giveUpUs = Math.max(endUs + settleTimeoutMs * 1000, leastUs);
  const steadyUs = (): number | null => (nowUs() < leastUs ? null : steadiness.steadyFromUs(endUs));
  await until(setting, () => steadyUs() !== null || nowUs() > giveUpUs);
  if (signal.aborted) return false;
  const atUs = steadyUs();
  if (atUs === null) await tellNotSteady(setting, restart);
  else await files.addEvent({ atUs, kind: 'steady', restart });
  return atUs !== null;
}

/** The service has not answered steadily in the time it was given: the load ends. */
export async function tellNotSteady({ files, times, nowUs, onNote }: DeploySetting, restart: number): Promise<void> {
  onNote(`not steady for ${times.settleMs} ms within ${times.settleTimeoutMs} ms: the load ends`);
  await files.addEvent({ atUs: nowUs(), kind: 'not-steady', restart });
}

/** Waits until it is so, or the run is over. */
export async function until({ signal }: DeploySetting, isSo: () => boolean): Promise<void> {
  while (!signal.aborted && !isSo()) await sleep(pollMs, undefined, { signal }).catch(() => undefined);
}

/** null when the time has passed, or the run is cut short. */
async function passed(ms: number, signal: AbortSignal): Promise<null> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
  return null;
}

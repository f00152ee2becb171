/** One run of the user's command under the load, and the wait until the service is steady again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RunningCommand } from './command.ts';
import type { MeasureTimes } from './deploy-times.ts';
import type { LeftRunning } from './left-running.ts';
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
export interface Turn {
  readonly restart: number;
  readonly restarts: number;
}

/** How a deploy came out; only after one that is steady another may follow. */
export type DeployEnd =
  | { readonly kind: 'steady'; readonly beginUs: number }
  | { readonly kind: 'over' }
  | { readonly kind: 'cut-short'; readonly why: string };

const pollMs = 100;

/** Runs the command once; what it leaves running is `left`'s then. */
export async function runDeploy(
  setting: DeploySetting,
  shell: Shell,
  left: LeftRunning,
  turn: Turn,
): Promise<DeployEnd> {
  const { target, files, nowUs, onNote, onOutput } = setting;
  const { restart } = turn;
  const detail = target.service.whileCommand ?? '';
  const name = shell.words.join(' ');
  const beginUs = nowUs();
  const command = await RunningCommand.start(shell, target.command ?? '', onOutput, variablesOf(setting, turn));
  await left.add(command);
  await files.addEvent({ atUs: beginUs, kind: 'deploy-begin', restart, detail });
  if (restart === 1) await files.writer.know({ commandRun: true, shell: name });
  onNote(`${ofSeries(turn, 'restart', ': ')}running under ${name}: ${detail}`);
  return await awaitEnd(setting, turn, { command, shell: name, beginUs });
}

/** `restart 3 of 20` and what joins it to a sentence; nothing of a single deploy. */
function ofSeries({ restart, restarts }: Turn, word: string, joint: string): string {
  return restarts === 1 ? '' : `${word} ${restart} of ${restarts}${joint}`;
}

/** Told only to those who asked for restarts: a command may have a variable RESTART of its own. */
function variablesOf({ target }: DeploySetting, { restart, restarts }: Turn): Record<string, string> {
  return target.service.restarts === undefined ? {} : { RESTART: String(restart), RESTARTS: String(restarts) };
}

async function awaitEnd(
  setting: DeploySetting,
  turn: Turn,
  { command, shell, beginUs }: { command: RunningCommand; shell: string; beginUs: number },
): Promise<DeployEnd> {
  const { files, signal, nowUs, onNote } = setting;
  const { restart, restarts } = turn;
  const { whileTimeoutMs } = setting.times;
  const end = await Promise.race([command.ended, passed(whileTimeoutMs, signal)]);
  if (signal.aborted) return { kind: 'over' };
  if (end === null) {
    const time = `${whileTimeoutMs / 1000} s (--while-timeout)`;
    const why = `The command had not ended after ${time}${inSeries(turn)}: it was ended, and the run with it.`;
    return { kind: 'cut-short', why };
  }
  const endUs = nowUs();
  await files.addEvent({ atUs: endUs, kind: 'deploy-end', restart, detail: end.how });
  if (end.failure !== null) {
    const last = restart < restarts ? ', which was the last' : '';
    const trouble = `The command ${end.failure}${inSeries(turn)}${last}: what was measured is not the deploy that was meant (run by ${shell}).`;
    await files.writer.know({ troubles: [trouble] });
  }
  onNote(`${ofSeries(turn, 'restart', ': ')}the command ended with ${end.how}; waiting until the service is steady`);
  const isLast = end.failure !== null || restart === restarts;
  const isSteady = await settle(setting, { restart, endUs, isLast });
  return isSteady && end.failure === null ? { kind: 'steady', beginUs } : { kind: 'over' };
}

function inSeries({ restart, restarts }: Turn): string {
  return restarts === 1 ? '' : `, in restart ${restart} of ${restarts}`;
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

/** What happens beside the load: the service is asked first, then the command runs, then the service must be steady. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isLoopback, movedNote } from './address.ts';
import { isIll, readBefore } from './answers-before.ts';
import { RunningCommand } from './command.ts';
import { listenersOn, type ProcessSeen } from './processes.ts';
import type { ServiceFiles } from './service-files.ts';
import { shellFor, type Shell } from './shell.ts';
import type { Steadiness } from './steadiness.ts';
import type { Target } from './target.ts';

/** How long load and command last. */
export interface MeasureTimes {
  /** How long slots are due; with a command, the least time. */
  readonly durationMs: number;
  /** From the first slot to the start of the command, at least. */
  readonly leadMs: number;
  /** The longest that the command may take. */
  readonly whileTimeoutMs: number;
  /** How long the service has to answer steadily after the command. */
  readonly settleMs: number;
  /** The longest to wait for that. */
  readonly settleTimeoutMs: number;
}

/** What goes on around a deploy. */
export interface DeploySetting {
  readonly target: Target;
  readonly times: MeasureTimes;
  /** Run the command although the service fails before it. */
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

/** How many requests must have an outcome before the command begins. */
const leastAsked = 5;
const pollMs = 100;

/**
 * Asks, deploys, and waits until the service is steady, or will not be; what it finds goes into run.json.
 * @returns why the run must be cut short; null where it need not
 */
export async function deployUnderLoad(setting: DeploySetting): Promise<string | null> {
  const { target, times, files, signal, evenIfFailing, onNote } = setting;
  const { service } = target;
  const { writer } = files;
  const shell = await shellFor(target.command ?? '');
  const listening = isLoopback(service.address) ? await listenersOn(service.port) : null;
  await until(setting, () => setting.nowUs() >= times.leadMs * 1000 && setting.settled() >= leastAsked);
  if (signal.aborted) return null;
  const before = await readBefore(files.rawLedger, target);
  await writer.know({ before });
  const { asked, asExpected } = before;
  if (isIll(before)) {
    if (!evenIfFailing) {
      onNote('the service does not answer as expected: the command is not run');
      return null;
    }
    await note(
      files,
      `${asked - asExpected} of ${asked} requests before the command were not answered as expected either.`,
    );
  }
  const cutShort = await runCommand(setting, shell);
  const after = listening === null ? null : await listenersOn(service.port);
  if (listening !== null && after !== null) await writer.know({ listeners: { before: listening, after } });
  const moved = await movedNote(new URL(service.url).hostname, service.address, service.port);
  if (moved !== null) await note(files, moved);
  return cutShort;
}

/** Puts a sentence into run.json that a reader must know. */
async function note({ writer }: ServiceFiles, sentence: string): Promise<void> {
  await writer.know({ notes: [...writer.record.notes, sentence] });
}

/**
 * Runs the command, and waits for the service; whatever happens, no process of a run that is cut short goes on.
 * @returns why the run must be cut short; null where it need not
 */
async function runCommand(setting: DeploySetting, shell: Shell): Promise<string | null> {
  const { target, files, signal, nowUs, onNote, onOutput } = setting;
  const detail = target.service.whileCommand ?? '';
  const name = shell.words.join(' ');
  const beginUs = nowUs();
  const command = await RunningCommand.start(shell, target.command ?? '', onOutput);
  try {
    await files.addEvent({ atUs: beginUs, kind: 'deploy-begin', restart: 1, detail });
    await files.writer.know({ commandRun: true, shell: name });
    if (!shell.seesPipes) {
      await note(
        files,
        `${name} does not tell of a failure on the left side of a pipe; bash does, and is not installed.`,
      );
    }
    onNote(`running under ${name}: ${detail}`);
    const cutShort = await awaitEnd(setting, command, name);
    if (signal.aborted || cutShort !== null) await endAll(command, onNote);
    const others = await command.others();
    if (others.length > 0) {
      await note(files, `${processesInWords(others)} of the command ${goOn(others)} after the run.`);
    }
    return cutShort;
  } catch (error) {
    await endAll(command, onNote);
    throw error;
  } finally {
    await command.close();
  }
}

/**
 * Waits for the command's end, and for the service.
 * @returns why the run must be cut short; null where it need not
 */
async function awaitEnd(setting: DeploySetting, { ended }: RunningCommand, shell: string): Promise<string | null> {
  const { files, signal, nowUs, onNote } = setting;
  const { whileTimeoutMs } = setting.times;
  const end = await Promise.race([ended, passed(whileTimeoutMs, signal)]);
  if (signal.aborted) return null;
  if (end === null) {
    const time = `${whileTimeoutMs / 1000} s (--while-timeout)`;
    return `The command had not ended after ${time}: it was ended, and the run with it.`;
  }
  const endUs = nowUs();
  await files.addEvent({ atUs: endUs, kind: 'deploy-end', restart: 1, detail: end.how });
  if (end.failure !== null) {
    const trouble = `The command ${end.failure}: what was measured is not the deploy that was meant (run by ${shell}).`;
    await files.writer.know({ troubles: [trouble] });
  }
  onNote(`the command ended with ${end.how}; waiting until the service is steady`);
  await settle(setting, endUs);
  return null;
}

/** Waits until the service has answered steadily since the command's end, or its time for that has passed. */
async function settle(setting: DeploySetting, endUs: number): Promise<void> {
  const { steadiness, files, nowUs, signal, onNote } = setting;
  const { durationMs, settleMs, settleTimeoutMs } = setting.times;
  const giveUpUs = Math.max(endUs + settleTimeoutMs * 1000, durationMs * 1000);
  const steadyUs = (): number | null => (nowUs() < durationMs * 1000 ? null : steadiness.steadyFromUs(endUs));
  await until(setting, () => steadyUs() !== null || nowUs() > giveUpUs);
  if (signal.aborted) return;
  const atUs = steadyUs();
  if (atUs !== null) await files.addEvent({ atUs, kind: 'steady', restart: 1 });
  else {
    onNote(`not steady for ${settleMs} ms within ${settleTimeoutMs} ms: the load ends`);
    await files.addEvent({ atUs: nowUs(), kind: 'not-steady', restart: 1 });
  }
}

async function endAll(command: RunningCommand, onNote: (text: string) => void): Promise<void> {
  const ended = await command.endAll();
  if (ended.length > 0) onNote(`ended with the run: ${processesInWords(ended)} of the command`);
}

async function until({ signal }: DeploySetting, isSo: () => boolean): Promise<void> {
  while (!signal.aborted && !isSo()) await sleep(pollMs, undefined, { signal }).catch(() => undefined);
}

/** null when the time has passed, or the run is cut short. */
async function passed(ms: number, signal: AbortSignal): Promise<null> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
  return null;
}

const mostNamed = 5;

function processesInWords(processes: readonly ProcessSeen[]): string {
  const named = processes.slice(0, mostNamed).map(({ pid, name }) => `${pid} ${name}`);
  const more = processes.length > mostNamed ? ', …' : '';
  return `${processes.length} ${processes.length === 1 ? 'process' : 'processes'} (${named.join(', ')}${more})`;
}

function goOn({ length }: readonly ProcessSeen[]): string {
  return length === 1 ? 'goes on' : 'go on';
}

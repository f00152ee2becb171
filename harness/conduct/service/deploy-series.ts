/** What happens beside the load: the service is asked first, then the command runs, once or several times. */
import { counted } from '../../base/counted.ts';
import type { ServiceRun } from '../../run/run-record.ts';
import { isLoopback, nameAtEnd } from './address.ts';
import { isIll, readBefore } from './answers-before.ts';
import { deployDraws, type DeployDraw } from './deploy-times.ts';
import { runDeploy, tellNotSteady, until, type DeploySetting } from './deploy.ts';
import { LeftRunning } from './command.ts';
import { listenersOn, type ProcessSeen } from './processes.ts';
import { shellFor, type Shell } from './shell.ts';
import type { Target } from './target.ts';

/** How many requests must have an outcome before the command begins. */
const leastAsked = 5;

/**
 * Asks, deploys as often as was asked for, and waits each time until the service is steady, or will not be; what it finds
 * goes into run.json. Whatever happens, no process of a run that is cut short goes on.
 * @returns why the run must be cut short; null where it need not
 */
export async function deployUnderLoad(setting: DeploySetting): Promise<string | null> {
  const { target, files, signal, onNote } = setting;
  const { service } = target;
  const shell = await shellFor(target.command ?? '');
  const left = new LeftRunning();
  try {
    const cutShort = await runSeries(setting, shell, left);
    if (signal.aborted || cutShort !== null) await endAll(left, onNote);
    const others = await left.processes();
    if (others.length > 0) {
      const goOn = others.length === 1 ? 'goes on' : 'go on';
      await files.note(`${processesInWords(others)} of the command ${goOn} after the run.`);
    }
    const { name } = target.request;
    if (name !== null && service.port !== null && files.writer.record.commandRun) {
      const { note: sentence, ...moved } = await nameAtEnd(name, service.address, service.port);
      await files.writer.know(moved);
      if (sentence !== undefined) await files.note(sentence);
    }
    return cutShort;
  } catch (error) {
    await endAll(left, onNote);
    throw error;
  } finally {
    await left.close();
  }
}

/** One deploy after the other, until all were made or one lets no other follow. */
async function runSeries(setting: DeploySetting, shell: Shell, left: LeftRunning): Promise<string | null> {
  const { target, seed, files, nowUs, signal } = setting;
  const { service } = target;
  const draws = deployDraws(service, seed);
  const restarts = draws.length;
  const listenersByRestart: NonNullable<ServiceRun['listenersByRestart']>[number][] = [];
  let first: string | null = null;
  let begunUs = 0;
  for (const [index, draw] of draws.entries()) {
    const restart = index + 1;
    const before = await listenersOf(service);
    first ??= before;
    if (restart === 1) {
      if (!(await mayBegin(setting, draw))) return null;
      if (!shell.seesPipes) await files.note(`${shell.words.join(' ')} ${seesNoPipes}`);
    } else if (!(await isSteadyForNext(setting, draw, { restart, begunUs, steadyUs: nowUs() }))) return null;
    const end = await runDeploy(setting, shell, left, { restart, restarts });
    const after = before === null ? null : await listenersOf(service);
    if (after !== null) {
      listenersByRestart.push({ restart, before, after });
      const listeners = { before: first, after };
      await files.writer.know({ listeners, ...(service.restarts !== undefined && { listenersByRestart }) });
    }
    if (end.kind === 'cut-short') return end.why;
    if (end.kind === 'over' || signal.aborted) return null;
    begunUs = end.beginUs;
  }
  return null;
}

/** Is the service well, so that a first deploy may begin? Asked until that deploy's time has come. */
async function mayBegin(setting: DeploySetting, { afterSteadyMs }: DeployDraw): Promise<boolean> {
  const { target, times, files, signal, evenIfFailing, onNote } = setting;
  const beginUs = (times.leadMs + afterSteadyMs) * 1000;
  await until(setting, () => setting.nowUs() >= beginUs && setting.settled() >= leastAsked);
  if (signal.aborted) return false;
  const before = await readBefore(files.rawLedger, target);
  await files.writer.know({ before });
  const { asked, asExpected } = before;
  if (!isIll(before)) return true;
  if (!evenIfFailing) {
    onNote('the service does not answer as expected: the command is not run');
    return false;
  }
  await files.note(
    `${asked - asExpected} of ${asked} requests before the command were not answered as expected either.`,
  );
  return true;
}

/** Waits for a further deploy's time; the service, which was steady after the one before, must be so when it comes. */
async function isSteadyForNext(
  setting: DeploySetting,
  { afterBeginMs, afterSteadyMs }: DeployDraw,
  { restart, begunUs, steadyUs }: { restart: number; begunUs: number; steadyUs: number },
): Promise<boolean> {
  const { steadiness, times, nowUs, signal } = setting;
  const beginUs = Math.max(begunUs + afterBeginMs * 1000, steadyUs + afterSteadyMs * 1000);
  const isSteady = (): boolean => steadiness.steadyFromUs(begunUs) !== null;
  const giveUpUs = beginUs + times.settleTimeoutMs * 1000;
  await until(setting, () => nowUs() >= beginUs && (isSteady() || nowUs() > giveUpUs));
  if (signal.aborted) return false;
  if (isSteady()) return true;
  await tellNotSteady(setting, restart - 1);
  return false;
}

/** Who listens on the service's port or socket; of another machine nobody can tell. */
async function listenersOf({ address, port }: Target['service']): Promise<string | null> {
  if (port === null) return await listenersOn(address);
  return isLoopback(address) ? await listenersOn(port) : null;
}

const seesNoPipes = 'does not tell of a failure on the left side of a pipe; bash does, and is not installed.';

async function endAll(left: LeftRunning, onNote: (text: string) => void): Promise<void> {
  const ended = await left.endAll();
  if (ended.length > 0) onNote(`ended with the run: ${processesInWords(ended)} of the command`);
}

const mostNamed = 5;

function processesInWords(processes: readonly ProcessSeen[]): string {
  const named = processes.slice(0, mostNamed).map(({ pid, name }) => `${pid} ${name}`);
  const more = processes.length > mostNamed ? ', …' : '';
  return `${counted(processes.length, 'process', 'processes')} (${named.join(', ')}${more})`;
}

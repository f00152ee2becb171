/** The service with its public port in systemd's hands. */
import { setTimeout as sleep } from 'node:timers/promises';
import { askOnce } from './line.ts';
import type { ContractPlan, LifeRequest, Listener, SocketSeen } from './messages.ts';
import { quickRequest } from './requests.ts';
import { startWatched } from './start.ts';
import { awaitStop, orderStop } from './stop.ts';
import { end, listeners, stateOf, systemctl, withSettings } from './unit.ts';

/** A port that nothing here uses. */
const otherPort = 17_081;

/** Watches a start with the socket, and a connection between two processes. */
export async function socketLife(plan: ContractPlan, { stops }: LifeRequest): Promise<SocketSeen> {
  await systemctl('start', plan.socket);
  const before = await listenerOf(plan.publicPort);
  const start = await startWatched(plan);
  if (start.servedUs === null) {
    await endBoth(plan);
    return { life: 'socket', before, start, queued: null, ...(await elsewhere(plan)) };
  }
  const { mainPid } = await stateOf(plan.unit);
  if (stops) await awaitStop(plan, await orderStop(plan), () => undefined);
  await end(plan.unit);
  const told = await askOnce(plan.publicPort, quickRequest(plan), plan.startMs);
  const after = await stateOf(plan.unit);
  await endBoth(plan);
  const queued = { told, isAnother: after.mainPid !== 0 && after.mainPid !== mainPid };
  return { life: 'socket', before, start, elsewhere: null, elsewhereInode: null, queued };
}

/** Why does it not serve the socket? With the socket on another port it goes on living where it would bind its own. */
async function elsewhere(plan: ContractPlan): Promise<Pick<SocketSeen, 'elsewhere' | 'elsewhereInode'>> {
  const settings = `[Socket]\nListenStream=\nListenStream=127.0.0.1:${otherPort}\n`;
  return await withSettings(plan.socket, settings, async () => {
    await systemctl('start', plan.socket);
    const start = await startWatched(plan);
    const inode = (await listenerOf(otherPort))?.inode ?? null;
    await endBoth(plan);
    return { elsewhere: start, elsewhereInode: inode };
  });
}

async function listenerOf(port: number): Promise<Listener | null> {
  return (await listeners()).find((listener) => listener.port === port) ?? null;
}

async function endBoth(plan: ContractPlan): Promise<void> {
  await systemctl('stop', plan.socket);
  await end(plan.unit);
  await systemctl('reset-failed', plan.socket);
  await sleep(10);
}

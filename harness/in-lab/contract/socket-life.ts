/** The service with its public port in systemd's hands. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { askOnce } from './line.ts';
import type { ContractPlan, LifeRequest, Listener, SocketSeen } from './messages.ts';
import { quickEntry, requestOf } from './requests.ts';
import { startWatched } from './start.ts';
import { awaitStop, orderStop } from './stop.ts';
import { end, listeners, stateOf, systemctl } from './unit.ts';

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
  const told = await askOnce(plan.publicPort, requestOf(plan, quickEntry(plan), 'new').whole, plan.startMs);
  const after = await stateOf(plan.unit);
  await endBoth(plan);
  const queued = { told, isAnother: after.mainPid !== 0 && after.mainPid !== mainPid };
  return { life: 'socket', before, start, elsewhere: null, elsewhereInode: null, queued };
}

/** Why does it not serve the socket? With the socket on another port it goes on living where it would bind its own. */
async function elsewhere(plan: ContractPlan): Promise<Pick<SocketSeen, 'elsewhere' | 'elsewhereInode'>> {
  const folder = `/run/systemd/system/${plan.socket}.d`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/90-doctor.conf`, `[Socket]\nListenStream=\nListenStream=127.0.0.1:${otherPort}\n`);
  await systemctl('daemon-reload');
  await systemctl('start', plan.socket);
  const start = await startWatched(plan);
  const inode = (await listenerOf(otherPort))?.inode ?? null;
  await endBoth(plan);
  rmSync(`${folder}/90-doctor.conf`);
  await systemctl('daemon-reload');
  return { elsewhere: start, elsewhereInode: inode };
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

/**
 * Runs in the lab's `server` container and examines the service there, one life after another. The first line of its input
 * is a {@link ContractPlan}, each further one a {@link LifeRequest}; it prints {@link ContractMessage}s. All are lines of JSON.
 */
import { createInterface } from 'node:readline';
import { drainLife } from './drain.ts';
import type { ContractMessage, ContractPlan, LifeRequest, LifeSeen } from './messages.ts';
import { busyPortLife, crashLife, secondSignalLife } from './other-lives.ts';
import { socketLife } from './socket-life.ts';
import { end, systemctl } from './unit.ts';

function say(message: ContractMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function examine(plan: ContractPlan, request: LifeRequest): Promise<LifeSeen> {
  const doing = (text: string): void => say({ kind: 'doing', text });
  switch (request.life) {
    case 'drain':
      return await drainLife(plan, request, doing);
    case 'second-signal':
      doing('stops it with two signals');
      return await secondSignalLife(plan);
    case 'crash':
      doing('kills it');
      return await crashLife(plan);
    case 'busy-port':
      doing('starts it while its port is taken');
      return await busyPortLife(plan);
    case 'socket':
      doing('starts it with a socket of systemd’s');
      return await socketLife(plan, request);
  }
}

/** Where systemd owns the port, its socket is there before each life, and gone after it. */
async function live(plan: ContractPlan, request: LifeRequest): Promise<LifeSeen> {
  const hasSocket = request.isHanded && request.life !== 'socket';
  if (hasSocket) await systemctl('start', plan.socket);
  const seen = await examine(plan, request);
  if (hasSocket) await systemctl('stop', plan.socket);
  if (hasSocket) await end(plan.unit);
  return seen;
}

let plan: ContractPlan | null = null;
for await (const line of createInterface({ input: process.stdin })) {
  if (plan === null) plan = JSON.parse(line) as ContractPlan;
  else say({ kind: 'seen', seen: await live(plan, JSON.parse(line) as LifeRequest) });
}

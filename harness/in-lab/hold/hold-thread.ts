/** The thread that holds connections: whatever happens to them at once, as many handshakes, delays no slot of the load. */
import { parentPort, workerData } from 'node:worker_threads';
import { openLedgerFile } from '../load/ledger-file.ts';
import type { HoldRow } from '../../run/files/holds.ts';
import { Holders } from './holders.ts';
import type { HoldingPlan } from './hold-request.ts';
import type { HoldCommand, HoldMessage } from './hold-beside.ts';

const port = parentPort;
if (port === null) throw new Error('hold-thread runs as a worker thread only');
const plan = workerData as HoldingPlan;
const file = openLedgerFile<HoldRow>(plan.hold.path);
const holders = new Holders(plan, (row) => file.write(row));

async function end(): Promise<void> {
  const counts = holders.end();
  await file.close();
  port?.postMessage({ kind: 'done', counts } satisfies HoldMessage);
}

port.on('message', (command: HoldCommand) => {
  if (command.kind === 'begin') holders.begin(command.originUs);
  else void end();
});
port.postMessage({ kind: 'ready' } satisfies HoldMessage);

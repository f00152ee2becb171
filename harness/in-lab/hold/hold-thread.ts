/** The thread that holds connections: whatever happens to them at once, as many handshakes, delays no slot of the load. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { openLedgerFile } from '../load/ledger-file.ts';
import { Holders } from './holders.ts';
import type { HoldingPlan } from './hold-request.ts';

const port = parentPort;
if (port === null) throw new Error('hold-thread runs as a worker thread only');
const plan = workerData as HoldingPlan;
const file = openLedgerFile(plan.hold.path);
const holders = new Holders(plan, (row) => file.write(row));

port.postMessage('ready');
const [originUs] = (await once(port, 'message')) as [number];
holders.begin(originUs);
await once(port, 'message');
const counts = holders.end();
await file.close();
port.postMessage(counts);

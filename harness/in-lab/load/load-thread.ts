/** One thread of a load that takes several: its own slots, its own connections, its own part of the ledger. */
import { parentPort, workerData } from 'node:worker_threads';
import { prepareHere, type ThreadCommand, type ThreadMessage, type ThreadTask } from './threads.ts';

const port = parentPort;
if (port === null) throw new Error('load-thread runs as a worker thread only');
const say = (message: ThreadMessage): void => port.postMessage(message);
const countsEveryMs = 100;

const { plan, share } = workerData as ThreadTask;
const load = await prepareHere(plan, share);
port.on('message', (command: ThreadCommand) => {
  if (command.kind === 'finish') load.finish(command.slots);
  if (command.kind === 'stop') load.stop();
  if (command.kind === 'run') {
    const counting = setInterval(() => say({ kind: 'counts', counts: load.counts() }), countsEveryMs);
    void load.run(command.originUs).then((result) => {
      clearInterval(counting);
      say({ kind: 'done', result });
    });
  }
});
port.postMessage('ready');

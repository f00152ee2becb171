/** The thread on which a long log of the site is read. */
import { parentPort, workerData } from 'node:worker_threads';
import { readSiteHere, type SiteAnswer, type SiteTask } from './site-reading.ts';

const port = parentPort;
if (port === null) throw new Error('site-thread runs as a worker thread only');
const { columns, probed, busy } = await readSiteHere(workerData as SiteTask);
const { data, buffers } = columns.data();
port.postMessage({ data, probed, busy } satisfies SiteAnswer, buffers);

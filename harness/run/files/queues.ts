/** witnesses/queues.ndjson.gz: connections that waited in the queues of listening ports; a line for each change. */
import { flag, integerFrom, optional, type RecordOf } from './fields.ts';
import { runFiles } from '../run-folder.ts';

/** A line for each change; of a service of your own, sampled every 2 ms. */
export const queuesFile = {
  name: runFiles.queues,
  what: 'sample of the queues',
  about:
    'Connections that waited in the queues of listening ports: a line for each change, sampled every 10 ms (of a service of your own in the lab, every 2 ms).',
  fields: {
    atMonotonicUs: integerFrom(0, 'When it was seen, CLOCK_MONOTONIC, µs.'),
    port: integerFrom(0, 'The listening port.'),
    waiting: integerFrom(0, 'Connections in its accept queue.'),
    closed: optional(flag('Nobody listens at the port any more.')),
  },
} as const;

/** One sample. */
export type QueueSample = RecordOf<(typeof queuesFile)['fields']>;

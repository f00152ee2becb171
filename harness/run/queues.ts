/** witnesses/queues.ndjson.gz: the listening queues of the server, as sampled (in-lab/queue-sampler.ts). */

/** What waited at one port, from now until the next line of that port. */
export interface QueueSample {
  readonly atMonotonicUs: number;
  readonly port: number;
  readonly waiting: number;
}

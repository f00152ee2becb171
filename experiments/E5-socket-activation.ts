import { defineExperiment } from '../harness/scenario/experiment.ts';

/** systemd owns the listening socket: while no process serves it, the kernel queues connections instead of refusing them. */
export default defineExperiment({
  id: 'E5',
  title: 'Socket activation',
  question: 'Does a restart lose a request when a systemd socket unit owns the public port?',
  hypothesis:
    'The socket outlives the process, so a connection made while nothing serves waits in the listen queue and is ' +
    'answered by the next process. The old process ends each kept connection only after an answer that says ' +
    '`Connection: close`, so no request is written to a dying connection. Nothing is dropped; the cost is waiting, ' +
    'at most about the outage window.',
  app: { warmupMs: 300, drain: 'polite', graceMs: 50, shutdownTimeoutMs: 10_000, keepAliveTimeoutMs: 120_000 },
  unit: { activation: 'socket', backlog: 4_096, timeoutStopSec: 20 },
  // No retry and no check: whatever is not dropped is owed to the socket and the drain alone.
  proxy: { kind: 'traefik' },
  load: {
    ratePerSecond: 200,
    mix: [
      { method: 'GET', path: '/notes/:id', weight: 45 },
      { method: 'GET', path: '/slow?ms=300', weight: 5 },
      { method: 'POST', path: '/notes', weight: 50 },
    ],
    connections: 'mixed',
  },
  deploy: { action: 'restart', restarts: 8, spacingMs: [1_900, 2_500], leadMs: 1_000, tailMs: 3_000 },
  expect: {
    dropped: { max: 0, because: 'the listen queue (4096) holds far more than rate × outage window' },
    badRestarts: { max: 0, because: 'no restart may drop anything' },
    longestWait: {
      abovePercentOfOutage: 20,
      because: 'the first connection queued waits for the whole window, then for its turn',
    },
  },
});

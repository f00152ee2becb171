import { defineExperiment } from '../harness/experiment/experiment.ts';
import { e5Variants } from './E5-socket-activation.variants.ts';
import { quickRestarts, seedDefaults, standardLoad } from './standard.ts';

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
  app: { ...seedDefaults, drain: 'polite', shutdownTimeoutMs: 10_000 },
  unit: { activation: 'socket', backlog: 4_096, timeoutStopSec: 20 },
  // No retry and no check: whatever is not dropped is owed to the socket and the drain alone.
  proxy: { kind: 'traefik' },
  load: standardLoad,
  deploy: quickRestarts,
  expect: {
    dropped: { max: 0, because: 'the listen queue (4096) holds far more than rate × outage window' },
    badRestarts: { max: 0, because: 'no restart may drop anything' },
    longestWait: {
      abovePercentOfOutage: 20,
      upToRatePerSecond: 500,
      because: 'the first connection queued waits for the whole window, then for its turn',
    },
    bounds: [{ of: 'refused-directly', max: 0, because: 'a port that systemd owns is never closed' }],
  },
  control: {
    variant: 'own-port',
    because: 'the same site with the same drain, which owns its port, must drop something at every restart',
  },
  variants: e5Variants,
});

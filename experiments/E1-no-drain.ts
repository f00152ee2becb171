import { defineExperiment } from '../harness/scenario/experiment.ts';

/** What most servers do today: the process owns its port, closes it on SIGTERM, and the next one opens it when warm. */
export default defineExperiment({
  id: 'E1',
  title: 'No drain',
  question: 'How many requests does a plain `systemctl restart` lose behind a proxy with one backend?',
  hypothesis:
    'From the moment the old process closes its port to the moment the new one, warmed up, opens it, every connection ' +
    'the proxy makes is refused and it answers 502: rate × outage window. What is in flight at SIGTERM is still answered.',
  // The seed's defaults: 50 ms of grace, 1 s for the graceful close, which ends idle connections at once.
  app: { warmupMs: 300, drain: 'naive', graceMs: 50, shutdownTimeoutMs: 1_000, keepAliveTimeoutMs: 120_000 },
  unit: { activation: 'none', timeoutStopSec: 20 },
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
    dropped: {
      predicted: true,
      withinPercent: 30,
      because: 'every request due while the port is closed is answered 502, and few others',
    },
    badRestarts: { all: true, because: 'the window is some 100 slots wide: no restart can miss it' },
  },
});

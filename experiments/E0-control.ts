import { defineExperiment } from '../harness/scenario/experiment.ts';

/** The control of the whole house: the same site, proxy and load, and nobody restarts anything. */
export default defineExperiment({
  id: 'E0',
  title: 'Control: no restart',
  question: 'Does the lab drop requests when nothing is restarted?',
  hypothesis:
    'Nothing closes a connection that another may be writing to: the site keeps idle connections (120 s) longer than ' +
    'the proxy does (90 s). So nothing is dropped, and a drop in another experiment is owed to its restarts.',
  app: { warmupMs: 300, drain: 'polite', graceMs: 50, shutdownTimeoutMs: 1_000, keepAliveTimeoutMs: 120_000 },
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
  deploy: { action: 'none', restarts: 0, spacingMs: [1_000, 1_000], leadMs: 0, tailMs: 15_000 },
  expect: { dropped: { max: 0, because: 'nothing happens that could drop a request; else every other run is void' } },
});

import { defineExperiment } from '../harness/experiment/experiment.ts';
import { cleanLab, drainedRestarts, seedCheck, seedDrain, standardLoad } from './standard.ts';

/** What the seed’s server has wired: drain, check and retry together. */
export default defineExperiment({
  id: 'E4',
  title: 'Drain and retry',
  question: 'What do drain, check and retry give together, with one backend?',
  hypothesis:
    'The check takes the only backend out for as long as in E2, and the proxy’s own 503 is not retried: the outage ' +
    'is that of E2. The share of answered requests says nothing but how seldom one restarts.',
  app: seedDrain,
  unit: { activation: 'none', timeoutStopSec: 20 },
  proxy: { kind: 'traefik', check: seedCheck, retry: { attempts: 4, initialIntervalMs: 0 } },
  load: standardLoad,
  deploy: drainedRestarts,
  expect: {
    dropped: {
      predicted: true,
      withinPercent: 10,
      because: 'the proxy answers 503 from the failed check to the next that passes, and does not retry it',
    },
    badRestarts: { all: true, because: 'the grace period is longer than the check’s interval: it always notices' },
    bounds: [{ of: 'status-503', min: 1, because: 'the outage is the proxy’s own 503' }],
  },
  control: cleanLab,
  variants: {
    'killed-in-drain': {
      about:
        'TimeoutStopSec=2 is below the drain: systemd kills the site in the middle of its grace period. The outage is ' +
        'shorter by what is left of the drain (the seed’s restart that took for ever), and who is under way is cut.',
      set: { 'unit.timeoutStopSec': 2 },
    },
    'interval-250': {
      about: 'Waits between the tries: they save whom a closed port refuses, and nobody whom the proxy turns away.',
      set: { 'proxy.retry.initialIntervalMs': 250 },
    },
  },
});

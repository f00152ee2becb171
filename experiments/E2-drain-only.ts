import { defineExperiment } from '../harness/experiment/experiment.ts';
import { cleanLab, drainedRestarts, seedCheck, seedDrain, standardLoad } from './standard.ts';

/** A drain long enough for the proxy's check to notice, and one backend: the check then has nowhere else to go. */
export default defineExperiment({
  id: 'E2',
  title: 'Drain only',
  question: 'Does a drain with a health check lose nothing, when there is one backend?',
  hypothesis:
    'At SIGTERM /healthz turns 503, the check notices within its interval and takes the only backend out of rotation, ' +
    'while that backend would still answer for 5 s. From then until the check has seen the new process ready, the proxy ' +
    'answers 503 by itself: the drain turns a restart into an outage of grace + restart + warm-up, give or take a check.',
  app: seedDrain,
  unit: { activation: 'none', timeoutStopSec: 20 },
  proxy: { kind: 'traefik', check: seedCheck },
  load: standardLoad,
  deploy: drainedRestarts,
  expect: {
    dropped: {
      predicted: true,
      withinPercent: 10,
      because: 'the proxy answers 503 from the failed check to the next that passes',
    },
    badRestarts: { all: true, because: 'the grace period is longer than the check’s interval: it always notices' },
    bounds: [
      { of: 'status-503', min: 1, because: 'the outage is the proxy’s own 503, not a refused connection' },
      {
        of: 'status-502',
        max: 3,
        because: 'nothing is cut: whoever was in flight at SIGTERM is answered in the grace',
      },
    ],
  },
  control: cleanLab,
  variants: {
    'grace-below-detection': {
      about:
        'A grace of 200 ms, shorter than the check takes to notice: the port closes first (502), then a check that ' +
        'falls into the gap adds up to one interval of 503 after the new process is back.',
      set: {
        'app.graceMs': 200,
        'deploy.restarts': 8,
        'deploy.spacingMs.0': 3_000,
        'deploy.spacingMs.1': 3_600,
        'deploy.tailMs': 4_000,
      },
      expect: {
        dropped: { predicted: true, withinPercent: 30, because: 'window of refusal, plus a check that falls into it' },
        badRestarts: { all: true, because: 'the port is closed for longer than a slot' },
      },
    },
    'check-livez': {
      about:
        'The check asks /livez of the internal port, which knows no drain: the site stays in rotation until its port ' +
        'closes, and only a check that falls between the two processes takes it out.',
      set: { 'proxy.check.path': '/livez' },
      expect: {
        dropped: {
          predicted: true,
          withinPercent: 30,
          because: 'rate × outage window, plus a check that falls into it',
        },
        badRestarts: { all: true, because: 'the port is closed for longer than a slot' },
      },
    },
    'no-check': {
      about: 'A grace of 5 s and a graceful close without any check: nobody notices, and the window is that of E1.',
      set: { 'proxy.check': null },
      expect: {
        dropped: {
          predicted: true,
          withinPercent: 30,
          because: 'the drain without a check only delays the same window',
        },
        badRestarts: { all: true, because: 'the port is closed for longer than a slot' },
      },
    },
    'quick-check': {
      about: 'The check every 200 ms: the drain is noticed sooner, so that the outage by 503 is longer, not shorter.',
      set: { 'proxy.check.intervalMs': 200, 'proxy.check.timeoutMs': 200 },
    },
  },
});

import { defineExperiment } from '../harness/experiment/experiment.ts';
import { cleanLab, quickRestarts, seedDefaults, standardLoad } from './standard.ts';

/** E1 with the proxy's retry: four tries, all at the one backend that is down. */
export default defineExperiment({
  id: 'E3',
  title: 'Retry',
  question: 'Does the proxy’s retry save requests, when there is one backend?',
  hypothesis:
    'A refused connection is tried again at once, three times within a few milliseconds, at the same closed port: ' +
    'nearly as many drops as without. Only with an initial interval do the waits together outlast the window, for ' +
    'GET and POST alike, since a request that was never written may be sent again whatever its method.',
  app: seedDefaults,
  unit: { activation: 'none', timeoutStopSec: 20 },
  proxy: { kind: 'traefik', retry: { attempts: 4, initialIntervalMs: 0 } },
  load: standardLoad,
  deploy: quickRestarts,
  expect: {
    dropped: { predicted: true, withinPercent: 30, because: 'all tries are over before the port is open again' },
    badRestarts: { all: true, because: 'the window is some 100 slots wide: no restart can miss it' },
  },
  control: cleanLab,
  variants: {
    'interval-100': {
      about: 'Waits from 100 ms on, some 0.4 s together: those due in the last part of the window are saved.',
      set: { 'proxy.retry.initialIntervalMs': 100 },
    },
    'interval-250': {
      about: 'Waits from 250 ms on, about a second together: longer than the window, so hardly any request is dropped.',
      set: { 'proxy.retry.initialIntervalMs': 250 },
      expect: {
        dropped: {
          predicted: true,
          withinPercent: 60,
          because:
            'three waits of half to one and a half of their length outlast most of the window; the rest is chance',
        },
      },
    },
  },
});

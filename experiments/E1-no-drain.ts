import { defineExperiment } from '../harness/experiment/experiment.ts';
import { cleanLab, quickRestarts, seedDefaults, standardLoad } from './standard.ts';

const everyRestart = {
  all: true,
  because: 'the window is some 100 slots wide: no restart can miss it',
} as const;

/** What most servers do today: the process owns its port, closes it on SIGTERM, and the next one opens it when warm. */
export default defineExperiment({
  id: 'E1',
  title: 'No drain',
  question: 'How many requests does a plain `systemctl restart` lose behind a proxy with one backend?',
  hypothesis:
    'From the moment the old process closes its port to the moment the new one, warmed up, opens it, every connection ' +
    'the proxy makes is refused and it answers 502: rate × outage window. What is in flight at SIGTERM is still answered.',
  app: seedDefaults,
  unit: { activation: 'none', timeoutStopSec: 20 },
  proxy: { kind: 'traefik' },
  load: standardLoad,
  deploy: quickRestarts,
  expect: {
    dropped: {
      predicted: true,
      withinPercent: 30,
      because: 'every request due while the port is closed is answered 502, and few others',
    },
    badRestarts: everyRestart,
    bounds: [{ of: 'refused-directly', min: 1, because: 'a closed port refuses: the 502 is its shadow' }],
  },
  control: cleanLab,
  variants: {
    direct: {
      about:
        'No proxy: the client itself is refused, and a request written on a kept connection that is being closed is ' +
        'reset or closed.',
      set: { 'proxy.kind': 'none' },
    },
    crash: {
      about:
        'SIGKILL instead of a deploy, and systemd starts the site again: requests under way are cut too, and nothing ' +
        'announces it.',
      set: { 'deploy.action': 'crash', 'unit.restart': 'always' },
    },
    'slow-start': {
      about: 'A warm-up of 1.8 s: the window grows by what the warm-up grows, and the drops with it.',
      set: { 'app.warmupMs': 1_800, 'deploy.spacingMs.0': 3_600, 'deploy.spacingMs.1': 4_200, 'deploy.restarts': 4 },
    },
  },
});

import { defineExperiment } from '../harness/experiment/experiment.ts';
import { cleanLab, releases, seedDefaults, standardLoad } from './standard.ts';

/** One site after another, each asked whether it is ready; or all of them at the same time, on two cores. */
export default defineExperiment({
  id: 'E15',
  title: 'Rolling or at once',
  question: 'Does it matter whether a release restarts the sites of a server one after another, or all at once?',
  hypothesis:
    'The time in which a site refuses is that of its own start. One after another, each start has the machine to itself; ' +
    'at once, all starts share its cores, and each takes as long as all of them together. The longer outage costs every ' +
    'site in proportion; the sum over the sites grows with their number twice over.',
  app: { ...seedDefaults, drain: 'polite', shutdownTimeoutMs: 10_000 },
  unit: { activation: 'none', timeoutStopSec: 20 },
  sites: { count: 8 },
  proxy: { kind: 'traefik' },
  load: standardLoad,
  deploy: { ...releases, restarts: 2, spacingMs: [16_000, 17_000], tailMs: 19_000 },
  release: { rolling: 1, waitForReady: true, settleMs: 200 },
  expect: {
    dropped: { predicted: true, withinPercent: 15, because: 'every request due while its site’s port is closed' },
    badRestarts: { all: true, because: 'the window is wider than a site’s slots' },
    bounds: [
      {
        of: 'longestOutageMs',
        max: 1_500,
        because: 'a start has the cores to itself: some 200 ms, and 300 ms of warm-up',
      },
      { of: 'sitesRestarted', min: 8, max: 8, because: 'every release restarts every site' },
    ],
  },
  control: cleanLab,
  variants: {
    'at-once': {
      about:
        'All sites at the same time: eight starts share the cores, and each site is down for as long as all of them take.',
      set: { 'release.rolling': null, 'release.restartsAtOnce': 8, 'release.settleMs': 0 },
      expect: {
        dropped: { predicted: true, withinPercent: 15, because: 'every request due while its site’s port is closed' },
        badRestarts: { all: true, because: 'the window is wider than a site’s slots' },
        bounds: [
          {
            of: 'longestOutageMs',
            min: 1_200,
            because: 'eight starts of 200 ms of CPU on two cores take 0.8 s at least, and then the warm-up of 300 ms',
          },
        ],
      },
    },
    'at-once-20': {
      about:
        'Twenty sites at the same time. It takes a machine with cores to spare: where the starts take them all, the load is ' +
        'late, and the run says that it cannot be trusted.',
      set: {
        'sites.count': 20,
        'release.rolling': null,
        'release.restartsAtOnce': 20,
        'release.settleMs': 0,
        'deploy.restarts': 1,
        'deploy.tailMs': 25_000,
      },
      expect: {
        dropped: { predicted: true, withinPercent: 15, because: 'every request due while its site’s port is closed' },
        bounds: [
          {
            of: 'longestOutageMs',
            min: 2_000,
            because: 'twenty starts of 200 ms of CPU on two cores take 2 s at least',
          },
        ],
      },
    },
    'sockets-at-once': {
      about: 'Five sites at once, with sockets: nothing is refused, and everybody waits for the slowest start.',
      set: {
        'sites.count': 5,
        'unit.activation': 'socket',
        'unit.backlog': 4_096,
        'release.rolling': null,
        'release.restartsAtOnce': 5,
        'release.settleMs': 0,
      },
      expect: {
        dropped: { max: 0, because: 'the queues hold what comes while nothing serves' },
        longestWait: {
          abovePercentOfOutage: 30,
          upToRatePerSecond: 500,
          because:
            'the first connection queued waits for the whole window, then for its turn on a machine that is busy',
        },
      },
    },
  },
});

import type { ExperimentData, Variants } from '../harness/experiment/experiment.ts';

const nothingBusy = {
  of: 'busy',
  max: 0,
  because: 'a one-row transaction waits for the lock far less than 20 s',
} as const;

/** The variants that E6 and E7 share: who writes, how a write begins, and how the proxy is told. */
export const blueGreenVariants: Variants = {
  'reads-only': {
    about: 'Reads alone: two backends on one SQLite file do not disturb each other.',
    set: { 'load.mix.0.weight': 95, 'load.mix.2.weight': 0.001 },
  },
  'writes-only': {
    about: 'Writes alone, from both backends while they overlap for 2 s.',
    set: {
      'load.mix.0.weight': 0.001,
      'load.mix.1.weight': 0.001,
      'load.mix.2.weight': 100,
      'deploy.overlapMs': 2_000,
    },
  },
  deferred: {
    about:
      'A transaction that reads first, works for 6 ms (longer than the 5 ms between two requests) and then writes: the ' +
      'read is upgraded, and when the other backend has written meanwhile SQLite refuses it at once, busy_timeout or not.',
    set: { 'sites.transaction': 'deferred', 'sites.transactionHoldMs': 6, 'deploy.overlapMs': 2_000 },
    expect: {
      dropped: {
        predicted: true,
        withinPercent: 60,
        because: 'two upgraded transactions that overlap cost one of them, for as long as both backends serve',
      },
      bounds: [
        {
          of: 'busy',
          min: 1,
          because: 'in each overlap some write of one backend falls between read and write of another',
        },
        { of: 'busyLongestWaitMs', max: 100, because: 'an upgrade does not wait for the lock: it is refused at once' },
      ],
    },
  },
  'long-transaction': {
    about:
      'The draining backend holds a write transaction for 25 s: the other backend’s write waits for busy_timeout, 20 s, and ' +
      'is then refused; those behind it wait for the lock’s release. At a quarter of the rate: all that waited is released ' +
      'at once, and would keep proxy and machine busy for longer than can be trusted.',
    set: {
      'load.ratePerSecond': 50,
      'deploy.longTransactionMs': 25_000,
      'app.shutdownTimeoutMs': 30_000,
      'unit.timeoutStopSec': 40,
      'deploy.restarts': 1,
      'deploy.tailMs': 36_000,
    },
    expect: {
      bounds: [
        { of: 'busy', min: 1, because: 'the lock is held for longer than busy_timeout' },
        { of: 'busyShortestWaitMs', min: 19_000, because: 'an immediate transaction waits for all of busy_timeout' },
        { of: 'busyLongestWaitMs', max: 21_000, because: 'and no longer' },
      ],
    },
  },
  'writer-killed': {
    about: 'The old backend ends by SIGKILL, in the middle of whatever it writes: what was acknowledged must be there.',
    set: {
      'deploy.oldEndsBy': 'SIGKILL',
      'deploy.spacingMs.0': 4_500,
      'deploy.spacingMs.1': 5_500,
      'deploy.tailMs': 5_000,
    },
    expect: {
      dropped: { predicted: true, withinPercent: 40, because: 'the proxy asks a dead backend until its check notices' },
      bounds: [nothingBusy],
    },
  },
  'atomic-rewrite': {
    about:
      'The proxy’s file names one backend, and is replaced by rename: it takes effect at once, and nobody is dropped.',
    set: { 'proxy.check': null, 'proxy.cutover': 'atomic-rewrite', 'deploy.overlapMs': 1_000 },
  },
  'in-place-rewrite': {
    about:
      'The same file truncated and written again by a template that takes 250 ms, as a shell’s redirection does: the ' +
      'proxy reads it empty, drops its only route, and by its throttle reads it again two seconds later. 404 for all ' +
      'until then.',
    set: { 'proxy.check': null, 'proxy.cutover': 'in-place-rewrite', 'deploy.overlapMs': 3_000 },
    expect: {
      dropped: { predicted: true, withinPercent: 40, because: 'rate × 2 s without a route at each rewrite' },
      bounds: [{ of: 'status-404', min: 1, because: 'a proxy without a route answers 404' }],
    },
  },
  'grace-below-detection': {
    about:
      'The old backend closes its port 200 ms after SIGTERM, before the check has noticed. The new one has served beside ' +
      'it for 2 s, so that the proxy knows it.',
    set: {
      'app.graceMs': 200,
      'deploy.overlapMs': 2_000,
      'deploy.spacingMs.0': 4_500,
      'deploy.spacingMs.1': 5_500,
      'deploy.tailMs': 5_000,
    },
    expect: {
      dropped: { predicted: true, withinPercent: 40, because: 'the proxy asks a closed port until its check notices' },
      bounds: [nothingBusy],
    },
  },
};

/** What E6 and E7 expect. */
export const blueGreenExpectation: ExperimentData['expect'] = {
  dropped: {
    max: 3,
    because:
      'one backend is ready before the other leaves; what is left is the moment in which one check has seen the old ' +
      'backend leave and the other has not yet seen the new one come',
  },
  bounds: [nothingBusy],
};

/** Three swaps, each with a drain of 5 s. */
export const swaps: ExperimentData['deploy'] = {
  action: 'swap',
  restarts: 3,
  spacingMs: [9_000, 10_000],
  leadMs: 1_000,
  tailMs: 9_500,
};

import type { Variants } from '../harness/experiment/experiment.ts';

const nothingDropped = { max: 0, because: 'the socket queues what comes while nothing serves' } as const;

/** The variants of E5: what holds as well, and its ablations, in each of which one thing is wrong. */
export const e5Variants: Variants = {
  'own-port': {
    about: 'The control: the same site with the same drain, but the process owns its port.',
    set: {
      'unit.activation': 'none',
      'unit.backlog': null,
      'deploy.restarts': 3,
      'deploy.spacingMs.0': 3_000,
      'deploy.spacingMs.1': 3_500,
    },
    expect: {
      dropped: { predicted: true, withinPercent: 30, because: 'every request due while the port is closed is refused' },
      badRestarts: { all: true, because: 'the window is wider than a slot' },
    },
  },
  'slow-start': {
    about: 'A warm-up of 1.8 s: more waits in the queue, and the proxy comes back with more idle connections to drain.',
    set: {
      'app.warmupMs': 1_800,
      'deploy.restarts': 5,
      'deploy.spacingMs.0': 4_500,
      'deploy.spacingMs.1': 5_200,
      'deploy.tailMs': 5_000,
    },
  },
  'as-seeded': {
    about:
      'The seed’s wiring: the check asks /livez of the internal port, which no socket covers. A check that falls between ' +
      'the two processes takes the site out for a whole interval of 503, while its queue would have held everything.',
    set: {
      'proxy.check.path': '/livez',
      'proxy.check.port': 'internal',
      'proxy.retry.attempts': 4,
      'deploy.restarts': 16,
      'deploy.spacingMs.0': 2_600,
      'deploy.spacingMs.1': 3_400,
    },
    expect: {
      dropped: { predicted: true, withinPercent: 30, because: 'a failed check costs one interval of 503' },
      badRestarts: { min: 1, because: 'the internal port is closed for a part of each interval' },
      bounds: [{ of: 'status-502', max: 0, because: 'the public port is never closed' }],
    },
  },
  'both-ports-activated': {
    about:
      'The repair of as-seeded: a second socket unit owns the internal port, so that a check between the two processes ' +
      'waits for the answer of the new one, within its timeout.',
    set: {
      'unit.activation': 'both',
      'proxy.check.path': '/livez',
      'proxy.check.port': 'internal',
      'deploy.restarts': 16,
      'deploy.spacingMs.0': 2_600,
      'deploy.spacingMs.1': 3_400,
    },
  },
  'check-activated-port': {
    about: 'The check goes through the activated port itself, with a timeout beyond the warm-up: it waits, and passes.',
    set: { 'proxy.check.path': '/livez', 'proxy.check.port': 'public', 'proxy.check.timeoutMs': 5_000 },
  },
  'check-readyz': {
    about:
      'Ablation. The check asks /readyz: drain and warm-up take the only backend out of rotation, although its queue ' +
      'would have held everything.',
    set: {
      'proxy.check.path': '/readyz',
      'proxy.check.port': 'internal',
      'deploy.restarts': 8,
      'deploy.spacingMs.0': 3_600,
      'deploy.spacingMs.1': 4_400,
      'deploy.tailMs': 5_000,
    },
    expect: {
      dropped: {
        predicted: true,
        withinPercent: 30,
        because: 'the proxy answers 503 from a failed check to the next passed',
      },
      badRestarts: { min: 4, because: 'drain and warm-up together are longer than the check’s interval' },
      bounds: [{ of: 'status-502', max: 0, because: 'the public port is never closed' }],
    },
  },
  'check-timeout-below-warm-up': {
    about:
      'Ablation. The check goes through the activated port with a timeout below the warm-up: a check that has to wait ' +
      'for the new process fails, and takes the site out for an interval.',
    set: {
      'proxy.check.path': '/livez',
      'proxy.check.port': 'public',
      'proxy.check.timeoutMs': 200,
      'deploy.spacingMs.0': 3_600,
      'deploy.spacingMs.1': 4_400,
      'deploy.tailMs': 5_000,
    },
    expect: {
      dropped: { predicted: true, withinPercent: 40, because: 'a failed check costs an interval of 503' },
      badRestarts: { min: 1, because: 'most of the window is more than the timeout away from its end' },
    },
  },
  'sigterm-without-drain': {
    about:
      'Ablation. The process dies of SIGTERM at once. GETs under way are sent again by the proxy and wait in the queue; ' +
      'a POST under way, or written on a connection that has just died, is lost.',
    set: { 'app.drain': 'none', 'deploy.restarts': 40, 'deploy.spacingMs.0': 1_000, 'deploy.spacingMs.1': 1_500 },
    expect: {
      badRestarts: { min: 3, because: 'a process takes some 20 ms to die, in which POSTs still reach it' },
      bounds: [{ of: 'dropped-POST', min: 1, because: 'the proxy does not send a POST again that it has written' }],
    },
  },
  'naive-close': {
    about:
      'Ablation. Idle kept connections are closed at once, as frameworks do: a POST that the proxy is about to write on ' +
      'one of them is answered 502; a GET is sent again and hides it.',
    set: { 'app.drain': 'naive', 'deploy.restarts': 40, 'deploy.spacingMs.0': 1_400, 'deploy.spacingMs.1': 1_900 },
    expect: {
      badRestarts: {
        min: 3,
        because: 'the proxy writes a POST every 10 ms, and some meets a connection that is just closing',
      },
      bounds: [
        { of: 'dropped-POST', min: 1, because: 'the proxy does not send a POST again that it has written' },
        { of: 'dropped-GET', max: 0, because: 'the proxy sends a GET again that died on a kept connection unanswered' },
      ],
    },
  },
  'short-backlog': {
    about:
      'Ablation. Backlog=16, less than rate × outage window, and no proxy: the kernel drops the SYNs that find the ' +
      'queue full, and the client’s kernel sends them again after 1, 2, 3 s. Nothing is dropped, yet many wait a second ' +
      'and more.',
    set: {
      'unit.backlog': 16,
      'proxy.kind': 'none',
      'load.connections': 'new',
      'deploy.spacingMs.0': 3_600,
      'deploy.spacingMs.1': 4_400,
      'deploy.tailMs': 5_000,
    },
    expect: {
      dropped: nothingDropped,
      bounds: [{ of: 'longestWaitMs', min: 1_000, because: 'the first repeated SYN leaves a second after the first' }],
    },
  },
  'short-backlog-behind-proxy': {
    about:
      'Ablation. Backlog=16 behind the proxy: its dials stall as well, but a request that waits for one takes whichever ' +
      'connection is free first, so that clients hardly see it. The site’s own port does.',
    set: { 'unit.backlog': 16, 'deploy.spacingMs.0': 3_600, 'deploy.spacingMs.1': 4_400, 'deploy.tailMs': 5_000 },
    expect: {
      dropped: nothingDropped,
      bounds: [
        { of: 'directLongestWaitMs', min: 1_000, because: 'the first repeated SYN leaves a second after the first' },
      ],
    },
  },
  'socket-part-of': {
    about:
      'Ablation. PartOf= the service: the socket is stopped and started with it, and all that waited in its queue is ' +
      'reset.',
    set: {
      'unit.socketTie': 'part-of',
      'deploy.restarts': 6,
      'deploy.spacingMs.0': 2_600,
      'deploy.spacingMs.1': 3_400,
    },
    expect: {
      dropped: {
        predicted: true,
        withinPercent: 30,
        because: 'what queued from the last accept on is reset with the socket',
      },
      badRestarts: { all: true, because: 'the drain is longer than a slot' },
    },
  },
  'socket-binds-to': {
    about: 'Ablation. BindsTo= the service: as PartOf=, the socket goes when the service goes.',
    set: {
      'unit.socketTie': 'binds-to',
      'deploy.restarts': 6,
      'deploy.spacingMs.0': 2_600,
      'deploy.spacingMs.1': 3_400,
    },
    expect: {
      dropped: {
        predicted: true,
        withinPercent: 30,
        because: 'what queued from the last accept on is reset with the socket',
      },
      badRestarts: { all: true, because: 'the drain is longer than a slot' },
    },
  },
  'flush-pending': {
    about:
      'Ablation. FlushPending=yes, and stop, pause, start instead of a restart: when the service has stopped, systemd ' +
      'accepts and closes all that waited.',
    set: {
      'unit.flushPending': true,
      'deploy.action': 'stop-start',
      'deploy.restarts': 6,
      'deploy.spacingMs.0': 3_000,
      'deploy.spacingMs.1': 3_600,
    },
    expect: {
      dropped: { predicted: true, withinPercent: 30, because: 'what queued while the old process drained is flushed' },
      badRestarts: { all: true, because: 'the drain is longer than a slot' },
    },
  },
  'killed-in-drain': {
    about:
      'Ablation. TimeoutStopSec=1 is below the grace period of 3 s: systemd kills the site while it still serves. GETs ' +
      'under way are sent again and wait in the queue; a POST under way is lost.',
    set: {
      'app.graceMs': 3_000,
      'unit.timeoutStopSec': 1,
      'deploy.restarts': 24,
      'deploy.spacingMs.0': 2_000,
      'deploy.spacingMs.1': 2_600,
    },
    expect: {
      badRestarts: { min: 3, because: 'a process takes some 20 ms to die, in which POSTs still reach it' },
      bounds: [{ of: 'dropped-POST', min: 1, because: 'the proxy does not send a POST again that it has written' }],
    },
  },
  'crash-loop': {
    about:
      'Ablation. A release that exits at its start: systemd gives up after 5 starts, and fails the socket with the ' +
      'service. What waited is reset, and all that follows is refused, until the release is taken back.',
    set: {
      'deploy.action': 'bad-release',
      'unit.startLimitBurst': 5,
      'deploy.restarts': 2,
      'deploy.spacingMs.0': 12_500,
      'deploy.spacingMs.1': 13_000,
      'deploy.tailMs': 9_000,
    },
    expect: {
      dropped: { predicted: true, withinPercent: 30, because: 'the port is closed until the release is taken back' },
      badRestarts: { all: true, because: 'the port is closed for seconds' },
      bounds: [{ of: 'refused-directly', min: 1, because: 'a socket unit that has failed holds no port' }],
    },
  },
  'listen-pid-wrapper': {
    about:
      'Ablation. The site is started by a wrapper, so that LISTEN_PID names another process: it does not take the ' +
      'socket, cannot bind the port that systemd holds, and loops into the same end as crash-loop.',
    set: {
      'deploy.action': 'bad-release',
      'deploy.badRelease': 'wrapper',
      'unit.startLimitBurst': 5,
      'deploy.restarts': 2,
      'deploy.spacingMs.0': 14_500,
      'deploy.spacingMs.1': 15_000,
      'deploy.badForMs': 6_000,
      'deploy.tailMs': 11_000,
    },
    expect: {
      dropped: { predicted: true, withinPercent: 30, because: 'the port is closed until the release is taken back' },
      badRestarts: { all: true, because: 'the port is closed for seconds' },
    },
  },
};

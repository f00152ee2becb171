import type { Variants } from '../harness/experiment/experiment.ts';
import { e5Variants } from './E5-socket-activation.variants.ts';

const nothingDropped = { max: 0, because: 'some process holds the port at every moment, or its queue does' } as const;
const aStart = 'the queue waits for a start, of which the warm-up alone takes 300 ms';
const oneDeploy = { 'deploy.restarts': 1, 'deploy.tailMs': 8_000 } as const;
/** Each request is taken by whichever process is first to accept it. */
const newConnections = { 'proxy.kind': 'none', 'load.connections': 'new' } as const;
const bothAnswer = {
  of: 'stale',
  min: 50,
  because: 'two processes take turns at 200 new connections a second, for seconds',
} as const;

/** The variants of E8: its control, what a crash costs, and its ablations, in each of which one thing is wrong. */
export const e8Variants: Variants = {
  'own-port': {
    about: 'The control: the same site with the same drain, but one process, which owns its port.',
    set: { ...e5Variants['own-port']?.set, 'sites.backends': 1, 'deploy.action': 'restart' },
    ...(e5Variants['own-port']?.expect && { expect: e5Variants['own-port'].expect }),
  },
  direct: {
    about: 'No proxy: each request comes on a new connection, which whichever process is first to accept answers.',
    set: newConnections,
  },
  'slow-start': {
    about: 'A warm-up of 1.8 s, which costs E5 a wait of as much: here nobody waits for it.',
    set: { 'app.warmupMs': 1_800, 'deploy.restarts': 4, 'deploy.spacingMs.0': 4_500, 'deploy.spacingMs.1': 5_200 },
  },
  'bad-release': {
    about:
      'Each release first crashes at its start: the switch gives it up after 4 s, and the colour that serves goes on until ' +
      'the good one is ready. A bad release costs nothing.',
    set: {
      'deploy.action': 'bad-release',
      'deploy.restarts': 2,
      'deploy.spacingMs.0': 8_500,
      'deploy.spacingMs.1': 9_000,
      'deploy.tailMs': 9_000,
    },
  },
  crash: {
    about:
      'SIGKILL of the colour that serves, while the other is down. systemd starts the same colour again (Restart=), and ' +
      'the queue waits for it, as in E5. POSTs under way are lost.',
    set: { 'deploy.action': 'crash', 'deploy.restarts': 8 },
    expect: {
      dropped: {
        max: 64,
        because: 'a process takes some 20 ms to die, in which 2 POSTs reach it; 8 at each of 8 kills is past chance',
      },
      longestWait: {
        abovePercentOfOutage: 75,
        upToRatePerSecond: 500,
        because:
          'a GET of /slow under way loses the 300 ms that it took, half a window; sent again, it waits for the whole window, ' +
          'then for its turn',
      },
      bounds: [
        { of: 'longestWaitMs', min: 300, because: aStart },
        { of: 'dropped-GET', max: 0, because: 'the proxy sends a GET again that died on a kept connection unanswered' },
        { of: 'refused-directly', max: 0, because: 'the port is that of systemd, which was not killed' },
      ],
    },
  },
  'holder-left-out': {
    about:
      'Ablation. The socket triggers the first colour instead of the holder. While the other one runs this changes nothing: ' +
      'by its Sockets= the socket counts as its trigger too, and starts nobody while one of them runs.',
    set: { 'unit.leftOut': 'holder' },
  },
  'holder-left-out-old-first': {
    about:
      'Ablation. The same, and the old colour is stopped first: a connection that comes while neither runs starts it again, ' +
      'with the release that was just retired, and it answers beside the new one until it is stopped again, here 2 s later. ' +
      'Without the proxy, whose kept connections would hide it.',
    set: {
      'unit.leftOut': 'holder',
      'deploy.oldFirst': true,
      'deploy.overlapMs': 2_000,
      ...oneDeploy,
      ...newConnections,
    },
    expect: { dropped: nothingDropped, bounds: [bothAnswer, { of: 'longestWaitMs', min: 300, because: aStart }] },
  },
  'old-first': {
    about: 'Ablation. The old colour is stopped before the new one is started: the queue waits for a start, as in E5.',
    set: { 'deploy.oldFirst': true },
    expect: {
      dropped: nothingDropped,
      longestWait: {
        abovePercentOfOutage: 20,
        upToRatePerSecond: 500,
        because: 'the first connection queued waits for the whole window, then for its turn',
      },
      bounds: [{ of: 'longestWaitMs', min: 300, because: aStart }],
    },
  },
  'sockets-left-out': {
    about:
      'Ablation. The new colour has no Sockets=: it binds the port itself, which is taken (EADDRINUSE), and is never ' +
      'ready. The switch gives it up, and the old one goes on: nothing is dropped, and nothing is deployed.',
    set: { 'unit.leftOut': 'sockets', 'deploy.readyWithinSec': 3, ...oneDeploy },
    expect: {
      dropped: nothingDropped,
      bounds: [{ of: 'givenUp', min: 1, max: 1, because: 'a port that is held cannot be bound a second time' }],
    },
  },
  'start-limit': {
    about:
      'Ablation. The start limit of systemd stays in force (5 starts in 10 s), and a release crashes at its start: the ' +
      'colour that is given up by systemd takes the socket unit with it. The other one serves on, but the good release ' +
      'does not inherit the port, and is never ready.',
    set: {
      'unit.leftOut': 'no-start-limit',
      'unit.startLimitBurst': 5,
      'deploy.action': 'bad-release',
      'deploy.badForMs': 8_000,
      'deploy.readyWithinSec': 3,
      'deploy.restarts': 1,
      'deploy.tailMs': 16_000,
    },
    expect: {
      dropped: nothingDropped,
      bounds: [{ of: 'givenUp', min: 1, max: 1, because: 'the socket unit has failed, and the port is still taken' }],
    },
  },
  'both-left-running': {
    about:
      'Ablation. The old colour is never stopped: it goes on answering with the release that was retired. Without the ' +
      'proxy, whose kept connections would all stay with the old one.',
    set: { 'deploy.oldEndsBy': 'nothing', ...oneDeploy, ...newConnections },
    expect: { dropped: nothingDropped, bounds: [bothAnswer] },
  },
};

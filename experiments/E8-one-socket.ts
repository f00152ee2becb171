import { defineExperiment } from '../harness/experiment/experiment.ts';
import { e8Variants } from './E8-one-socket.variants.ts';
import { quickRestarts, seedDefaults, standardLoad } from './standard.ts';

/** Two colours inherit one listening socket: the new process is ready before the old one stops, and no port is closed. */
export default defineExperiment({
  id: 'E8',
  title: 'One socket, two processes',
  question:
    'Does a deploy lose a request, or let one wait, when old and new process inherit the same listening socket?',
  hypothesis:
    'A socket unit owns the port and triggers a holder that never ends, so that systemd starts neither colour by itself; ' +
    'each colour inherits the socket (`Sockets=`). The new one accepts before the old one stops, and what waits in the ' +
    'queue is the new one’s. The old one ends each kept connection only after an answer that says `Connection: close`. ' +
    'So nothing is dropped and nobody waits for a start, while one SQLite file is open twice.',
  app: { ...seedDefaults, drain: 'polite', shutdownTimeoutMs: 10_000 },
  unit: { activation: 'shared', backlog: 4_096, timeoutStopSec: 20 },
  sites: { backends: 2 },
  // One port, so one backend: no check and no retry, and the proxy knows of no deploy.
  proxy: { kind: 'traefik' },
  load: standardLoad,
  deploy: { ...quickRestarts, action: 'swap' },
  expect: {
    dropped: { max: 0, because: 'the port is never closed, and no request is written to a connection that dies' },
    badRestarts: { max: 0, because: 'no restart may drop anything' },
    longestWait: {
      maxMs: 100,
      upToRatePerSecond: 500,
      because: 'some process accepts at every moment; what is left is two processes on the CPU and on SQLite’s lock',
    },
    bounds: [
      { of: 'longestOutageMs', max: 0, because: 'the new process accepts before the old one stops' },
      { of: 'refused-directly', max: 0, because: 'a port that systemd owns is never closed' },
      { of: 'busy', max: 0, because: 'a one-row transaction waits for the lock far less than 20 s' },
    ],
  },
  control: {
    variant: 'own-port',
    because:
      'the same site with the same drain, one process of which owns its port, must drop something at every restart',
  },
  variants: e8Variants,
});

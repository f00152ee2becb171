import type { Variants } from '../harness/experiment/experiment.ts';

const untouched = { of: 'refused-directly', max: 0, because: 'the site’s own port is not the proxy’s' } as const;
const asPredicted = {
  predicted: true,
  withinPercent: 20,
  because: 'nobody is answered from the closing of the port to the routes of the new process',
} as const;

/** The variants of E17: its own ways to leave and to start, a kill, an upgrade, a reload, and no deploy at all. */
export const e17Variants: Variants = {
  'no-restart': {
    about: 'The proxy as a unit of the server, and nothing is deployed: nothing may be dropped.',
    set: { 'deploy.action': 'none' },
    expect: { dropped: { max: 0, because: 'nothing is restarted' }, bounds: [untouched] },
  },
  socket: {
    about:
      'systemd owns port 80, and Traefik takes it by the name of the entry point. Nobody is refused: connections wait, and ' +
      'the new process takes them all at once, before it has its routes. What was a refusal becomes a wait and a 404.',
    set: { 'proxy.unit.activation': 'socket' },
    expect: {
      dropped: asPredicted,
      bounds: [
        {
          of: 'status-404',
          min: 40,
          because:
            'all that waited for a start of 50 ms or more is answered before the routes are there: 5 and more each',
        },
        untouched,
      ],
    },
  },
  'no-grace': {
    about:
      'graceTimeOut 0: requests under way are cut, so that the old process is gone at once. At this rate that costs less ' +
      'than waiting for them with a closed port.',
    set: { 'proxy.unit.graceTimeOutMs': 0 },
    expect: { dropped: asPredicted, bounds: [untouched] },
  },
  'soon-again': {
    about:
      'Each restart comes less than 2 s after the last one. Traefik sleeps for 2 s (providersThrottleDuration) once it has ' +
      'read its routes, and does not end before that sleep does: its port stays closed so much longer. A playbook that ' +
      'writes the file of routes and then restarts Traefik meets the same.',
    set: { 'deploy.spacingMs.0': 1_700, 'deploy.spacingMs.1': 2_000 },
    expect: {
      dropped: asPredicted,
      bounds: [
        {
          of: 'longestOutageMs',
          min: 800,
          because: 'half a second of grace and a start come to 600 ms; what is above is the rest of the sleep',
        },
        untouched,
      ],
    },
  },
  'accept-grace': {
    about:
      'requestAcceptGraceTimeout 500 ms: Traefik goes on accepting after SIGTERM, for a balancer in front to take it out. ' +
      'With none in front the same outage comes 500 ms later.',
    set: { 'proxy.unit.requestAcceptGraceMs': 500 },
    expect: { dropped: asPredicted, bounds: [untouched] },
  },
  crash: {
    about:
      'SIGKILL of Traefik: requests under way are cut, and systemd starts it again after its RestartSec of 100 ms.',
    set: { 'deploy.action': 'proxy-crash' },
    expect: { dropped: asPredicted, bounds: [untouched] },
  },
  upgrade: {
    about:
      'Another version of Traefik: its program is put in place by rename, then Traefik is restarted; every second deploy ' +
      'brings the first version back.',
    set: { 'deploy.action': 'proxy-upgrade' },
    expect: { dropped: asPredicted, bounds: [untouched] },
  },
  reload: {
    about:
      'The file of routes is replaced by rename, with a change that matters to no request. Traefik builds all anew.',
    set: { 'deploy.action': 'proxy-reload' },
    expect: {
      dropped: {
        max: 0,
        because: 'requests under way keep the old routes, later ones get the new ones; no port is closed',
      },
      bounds: [untouched],
    },
  },
};

/** When each backend would refuse, or fail a check, by the timeline and the options of a run: what a prediction begins with. */
import type { Experiment } from '../../experiment/experiment.ts';
import { publicPorts } from '../../experiment/units.ts';
import type { RestartWindow } from '../restart-windows.ts';
import type { Span } from './spans.ts';

/** One unit behind the proxy, as the timeline tells. */
export interface Backend {
  /** Connections are refused, or accepted and lost. */
  readonly closed: readonly Span[];
  /** A check made in one of these fails; where it `waits`, only if the span's end is further off than its timeout. */
  readonly failing: readonly (Span & { readonly waits: boolean })[];
}

/** When each backend refuses, and when a check of it fails. */
export function backendsOf(experiment: Experiment, windows: readonly RestartWindow[]): Backend[] {
  const { proxy } = experiment;
  // The proxy's file names the colour that serves, and no other.
  if (proxy.cutover !== 'check') return [{ closed: [], failing: [] }];
  if (publicPorts(experiment) === 2) {
    return [0, 1].map((colour) => ({
      closed: awaySpans(windows, colour, {
        from: ({ acceptStoppedUs }) => acceptStoppedUs,
        to: ({ acceptingUs }) => acceptingUs,
      }),
      failing: awaySpans(windows, colour, {
        from: ({ sigtermUs, exitUs }) => sigtermUs ?? exitUs,
        to: ({ readyUs }) => readyUs,
      }).map((span) => ({ ...span, waits: false })),
    }));
  }
  const { check } = proxy;
  return [
    {
      closed: windows.flatMap((window) => [
        ...closedSpan(experiment, window),
        // Where the process owns its port, each further stop closes it, too.
        ...(experiment.unit.activation === 'none' ? window.closedAgain : []),
      ]),
      failing: check === undefined ? [] : windows.flatMap((window) => failingSpan(experiment, check, window)),
    },
  ];
}

/**
 * While a colour is not there. That of odd deploys comes with them and goes with the even ones; that of even restarts
 * serves at first.
 */
function awaySpans(
  windows: readonly RestartWindow[],
  colour: number,
  { from, to }: Readonly<Record<'from' | 'to', (window: RestartWindow) => number | null>>,
): Span[] {
  const found: Span[] = [];
  let fromUs = colour === 0 ? null : -Infinity;
  for (const window of windows) {
    if (window.deploy % 2 === colour) {
      if (fromUs !== null) found.push({ fromUs, toUs: to(window) ?? fromUs });
      fromUs = null;
    } else {
      fromUs = from(window);
    }
  }
  return fromUs === null ? found : [...found, { fromUs, toUs: Infinity }];
}

/** While the single backend refuses connections, or loses those it has accepted. */
function closedSpan(experiment: Experiment, window: RestartWindow): Span[] {
  const { unit } = experiment;
  const { acceptStoppedUs, acceptingUs, exitUs, socketStoppedUs, socketStartedUs } = window;
  if (acceptStoppedUs === null || acceptingUs === null) return [];
  const fromUs = lastServedUs(experiment, window) ?? acceptStoppedUs;
  const upTo = (toUs: number): Span[] => (toUs > fromUs ? [{ fromUs, toUs }] : []);
  if (unit.activation === 'none') return upTo(acceptingUs);
  // The socket closes: what waits in its queue is reset, and nothing queues until it is open again.
  if (socketStoppedUs !== null) return upTo(socketStartedUs ?? acceptingUs);
  // What waits when the service is down is accepted and closed.
  return unit.flushPending ? upTo(exitUs ?? acceptStoppedUs) : [];
}

/**
 * When the old process answers its last request: in a polite drain behind a proxy, each idle connection of the proxy's
 * pool carries one request more, so that new connections are made only when the pool is used up.
 */
function lastServedUs({ app, proxy, load }: Experiment, window: RestartWindow): number | null {
  const { acceptStoppedUs, idleWhenStopped, exitUs } = window;
  if (acceptStoppedUs === null || app.drain !== 'polite' || proxy.kind === 'none') return acceptStoppedUs;
  return Math.min(exitUs ?? Infinity, acceptStoppedUs + (idleWhenStopped * 1e6) / load.ratePerSecond);
}

/**
 * How many connections should wait in the listen queue at the end of this window: no more than it admits, which is one
 * more than the shorter of Backlog= and somaxconn. null where none can queue, or some process accepts all the time.
 */
export function expectedQueue(experiment: Experiment, window: RestartWindow, somaxconn: number | null): number | null {
  const { unit, load, probe, service } = experiment;
  const { acceptStoppedUs, acceptingUs } = window;
  const fromUs = lastServedUs(experiment, window);
  // Of the user's own socket unit the queue's length is what stands there.
  if (service?.socket !== undefined && !service.unitChanges.includes('backlog')) return null;
  if (unit.activation === 'none' || fromUs === null || acceptStoppedUs === null || acceptingUs === null) return null;
  if (acceptingUs < acceptStoppedUs) return null;
  const come =
    load.ratePerSecond * Math.max(0, acceptingUs - fromUs) + probe.ratePerSecond * (acceptingUs - acceptStoppedUs);
  return Math.min(come / 1e6, Math.min(unit.backlog ?? Infinity, somaxconn ?? Infinity) + 1);
}

/**
 * When a check of the single backend fails. Traefik's checker uses the connections of the proxy's own pool (it is given the
 * service's round tripper): through the public port a process that drains answers it as long as it answers requests.
 */
function failingSpan(
  experiment: Experiment,
  { path, port }: NonNullable<Experiment['proxy']['check']>,
  window: RestartWindow,
): (Span & { waits: boolean })[] {
  const { acceptingUs, exitUs, sigtermUs, internalListeningUs, readyUs } = window;
  const span = (fromUs: number | null, toUs: number | null, waits: boolean): (Span & { waits: boolean })[] =>
    fromUs === null || toUs === null || toUs <= fromUs ? [] : [{ fromUs, toUs, waits }];
  const { unit } = experiment;
  if (port === 'public') return span(lastServedUs(experiment, window), acceptingUs, unit.activation !== 'none');
  // A service of the user's own may have no second port.
  const hasOnePort = experiment.service !== undefined && experiment.service.internal === undefined;
  const listeningUs = hasOnePort ? acceptingUs : internalListeningUs;
  if (path === '/livez') return span(exitUs, listeningUs, unit.activation === 'both');
  return span(sigtermUs ?? exitUs, readyUs, false);
}

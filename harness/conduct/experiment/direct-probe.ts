/**
 * The direct probe: a few requests a second to the site's own port, from the server itself, each on a connection of its
 * own. It sees what the proxy hides: a refused connection is a 502 through it.
 */
import { converse } from '../../lab/engine/exec.ts';
import type { Lab } from '../../lab/lab.ts';
import type { LoadPlan } from '../../in-lab/load/plan.ts';
import { labDeadlineMs, probePath, probeRunId } from '../../run/site-requests.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { proxiedQuestionOf } from '../../experiment/ready-question.ts';
import { publicPorts } from '../../experiment/units.ts';
import { Generator, type LoadEnd } from '../generator.ts';

/** Where the probe's ledger lies in the server's container. */
export const directLedgerPath = '/var/direct.ndjson';

/** By then the deadline of each of its last requests has passed, so that each has its row. */
const settledMs = labDeadlineMs + 2_000;

/** A probe that is ready to begin. */
export type DirectProbe = NonNullable<Awaited<ReturnType<typeof startProbe>>>;

/** Starts the probe of an experiment that has one; null of any other. */
export async function startProbe(lab: Lab, experiment: Experiment, load: LoadPlan) {
  const { probe, service } = experiment;
  // One of two colours with a port each is always down: that it refuses says nothing.
  if (probe.ratePerSecond === 0 || publicPorts(experiment) === 2) return null;
  // Of a service of the user's own it asks what that has on its public port.
  const path = service === undefined ? probePath : proxiedQuestionOf({ service }).path;
  const fixed = { headers: [], bodyBase64: null, expectedStatus: service === undefined ? 200 : null };
  const plan: LoadPlan = {
    ...load,
    runId: probeRunId(load.runId),
    host: '127.0.0.1',
    // Of several sites the first: each has a port of its own.
    port: lab.sites[0].colours[0].publicPort,
    ratePerSecond: probe.ratePerSecond,
    mix: [{ method: 'GET', path, weight: 1, fixed }],
    connections: 'new',
    maxConnections: Math.ceil((probe.ratePerSecond * load.deadlineMs) / 1000) + 50,
    primedNotes: 0,
    ledgerPath: directLedgerPath,
    threads: 1,
  };
  const generator = new Generator(await converse(lab.server, ['node', '/opt/harness/in-lab/load/main.ts']), plan);
  let going: Promise<LoadEnd | null> = Promise.resolve(null);
  return {
    begin: (): void => {
      const silent = { began: () => undefined, progress: () => undefined };
      // A probe that fails costs the run nothing but its rows.
      going = generator
        .ready()
        .then(() => generator.run(silent))
        .catch(() => null);
    },
    /** Breaks it off: nobody waits for its last requests for long. */
    stop: () => generator.stop('The run was cut short.'),
    /**
     * Ends it, unless it was broken off, when its last requests are settled.
     * @returns CLOCK_MONOTONIC microseconds of its first due time; null where it never began
     */
    end: async (): Promise<number | null> => {
      generator.finish({ withinMs: settledMs });
      return (await going)?.originUs ?? null;
    },
    close: () => generator.close(),
  };
}

/**
 * The direct probe: a few requests a second to the site's own port, from the server itself, each on a connection of its
 * own. It sees what the proxy hides: a refused connection is a 502 through it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Conversation } from '../base/conversation.ts';
import { converse } from '../lab/exec.ts';
import type { Lab } from '../lab/lab.ts';
import { type LoadMessage, type LoadPlan } from '../in-lab/plan.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { labDeadlineMs, probePath, probeRunId } from '../run/site-requests.ts';

/** Where the probe's ledger lies in the server's container. */
export const directLedgerPath = '/var/direct.ndjson';

/** How long the probe's last requests are waited for where the run was cut short. */
const cutShortMs = 5_000;
/** And else: by then the deadline of each has passed, so that each has its row. */
const settledMs = labDeadlineMs + 2_000;

/** A probe that is ready to begin. */
export interface DirectProbe {
  begin(): void;
  /**
   * Ends it; resolves with CLOCK_MONOTONIC microseconds of its first due time, or null where it never began.
   * @param isCutShort nobody waits for its last requests for long
   */
  end(isCutShort: boolean): Promise<number | null>;
  close(): void;
}

/** Starts the probe of an experiment that has one. */
export async function startDirectProbe(
  lab: Lab,
  { probe, sites }: Experiment,
  load: LoadPlan,
): Promise<DirectProbe | null> {
  // Of two colours one is always down: that it refuses says nothing.
  if (probe.ratePerSecond === 0 || sites.backends === 2) return null;
  const plan: LoadPlan = {
    ...load,
    runId: probeRunId(load.runId),
    host: '127.0.0.1',
    port: lab.colours[0].publicPort,
    ratePerSecond: probe.ratePerSecond,
    mix: [{ method: 'GET', path: probePath, weight: 1, fixed: { headers: [], bodyBase64: null, expectedStatus: 200 } }],
    connections: 'new',
    maxConnections: Math.ceil((probe.ratePerSecond * load.deadlineMs) / 1000) + 50,
    primedNotes: 0,
    ledgerPath: directLedgerPath,
    threads: 1,
  };
  const generator = await converse(lab.server, ['node', '/opt/harness/in-lab/main.ts']);
  generator.say(JSON.stringify(plan));
  let originUs: number | null = null;
  const done = listen(generator, (us) => (originUs = us));
  return {
    begin: () => generator.say(JSON.stringify({ kind: 'go' })),
    end: async (isCutShort) => {
      generator.say(JSON.stringify({ kind: 'finish' }));
      const over = new AbortController();
      await Promise.race([
        done,
        sleep(isCutShort ? cutShortMs : settledMs, undefined, { signal: over.signal }).catch(() => undefined),
      ]);
      over.abort();
      return originUs;
    },
    close: () => generator.close(),
  };
}

/** Resolves when it is done, or its output has ended. */
async function listen(generator: Conversation, onOrigin: (originUs: number) => void): Promise<void> {
  for await (const line of generator.lines) {
    const message = JSON.parse(line) as LoadMessage;
    if (message.kind === 'origin') onOrigin(message.originUs);
    if (message.kind === 'done') return;
  }
}

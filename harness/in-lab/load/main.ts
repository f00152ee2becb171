/**
 * The load generator as it runs in the lab's `client` container: a plan on the first line of its input, commands on the
 * lines after it, messages on its output (plan.ts has both).
 */
import { createInterface } from 'node:readline';
import { clockPair, monotonicUs } from '../../base/clock.ts';
import { Exchange } from './exchange.ts';
import { Connection } from '../connection/connection.ts';
import { prepareHolds } from '../hold/hold-beside.ts';
import type { LoadCommand, LoadMessage, LoadPlan } from './plan.ts';
import { writeNote } from './request.ts';
import { isOwnFault, type LedgerRow } from '../../run/files/ledger.ts';
import type { PreparedLoad } from './generator.ts';
import { prepareThreads } from './threads.ts';
import { primedNoteId } from '../../run/site-requests.ts';

/** From `go` to the first slot: time for the pacing thread to hear of it. */
const leadUs = 50_000;
const progressMs = 250;

function say(message: LoadMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Writes the notes that the load will read, one after another, the same to each site.
 * @returns whether each was acknowledged; if one was not, an `unprimed` message says so
 */
async function prime(plan: LoadPlan): Promise<boolean> {
  for (const hostHeader of plan.hostHeaders) {
    for (let note = 0; note < plan.primedNotes; note++) {
      const { outcome, error } = await write(plan, hostHeader, note);
      if (outcome === 'ok') continue;
      if (isOwnFault(outcome))
        throw new Error(`note ${note} could not be written before the load: ${error ?? outcome}`);
      say({ kind: 'unprimed', note, outcome, error });
      return false;
    }
  }
  return true;
}

async function write(plan: LoadPlan, hostHeader: string, note: number): Promise<LedgerRow> {
  const noteId = primedNoteId(plan.runId, note);
  const { trial, deadlineMs } = plan;
  const request = writeNote(noteId, { hostHeader, requestId: `prime-${noteId}`, connection: 'new' });
  const slot = { trial, seq: note, dueUs: 0, originUs: monotonicUs(), deadlineUs: deadlineMs * 1000 };
  return await new Promise((resolve) => {
    const exchange = new Exchange({ ...slot, connection: 'new', request }, (row) => {
      clearTimeout(givingUp);
      resolve(row);
    });
    const nobody = { turn: () => undefined, idle: () => undefined, gone: () => undefined };
    const connection = new Connection({ ...plan, secure: null }, nobody, exchange);
    const givingUp = setTimeout(() => connection.expire(), deadlineMs);
  });
}

async function run(plan: LoadPlan, commands: AsyncIterator<string>): Promise<void> {
  if (!(await prime(plan))) return;
  const load = await prepareThreads(plan);
  const holds = await prepareHolds(plan);
  say({ kind: 'primed', notes: plan.primedNotes });

  const first = await nextCommand(commands);
  if (first.kind === 'stop') process.exit(0);
  void obey(load, commands);
  const originUs = monotonicUs() + leadUs;
  say({ kind: 'origin', originUs, clock: clockPair() });
  const progress = setInterval(
    () => say({ kind: 'progress', atUs: monotonicUs() - originUs, ...load.counts() }),
    progressMs,
  );
  holds?.begin(originUs);
  const result = await Promise.race([load.run(originUs), ...(holds === null ? [] : [holds.failed])]);
  clearInterval(progress);
  const held = holds === null ? {} : { held: await holds.end() };
  say({ kind: 'done', clock: clockPair(), peakRssKiB: process.resourceUsage().maxRSS, ...held, ...result });
}

async function obey(load: PreparedLoad, commands: AsyncIterator<string>): Promise<void> {
  for (;;) {
    const command = await nextCommand(commands);
    if (command.kind === 'finish') load.finish(command.slots);
    if (command.kind !== 'stop') continue;
    load.stop();
    return;
  }
}

async function nextCommand(commands: AsyncIterator<string>): Promise<LoadCommand> {
  const line = await commands.next();
  // The harness is gone: nobody would read what follows.
  if (line.done === true) return { kind: 'stop' };
  return JSON.parse(line.value) as LoadCommand;
}

function fail(error: unknown): never {
  say({ kind: 'error', message: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}

// What is thrown while a socket's event is dealt with, as for a row that breaks a rule, ends the load like any failure.
process.on('uncaughtException', fail);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
try {
  const first = await lines.next();
  if (first.done === true) throw new Error('no plan came');
  await run(JSON.parse(first.value) as LoadPlan, lines);
  process.exit(0);
} catch (error) {
  fail(error);
}

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import type { Conversation } from '../base/conversation.ts';
import { answerLimits, type LoadPlan } from '../in-lab/load/plan.ts';
import { spawnGenerator } from '../in-lab/load/spawn.ts';
import { Generator, type LoadListener } from './generator.ts';

const folder = testFolder();
let server: Server;
beforeAll(async () => {
  server = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(() => {
  server.close();
});
afterEach(() => vi.useRealTimers());

/** GET / of the server above, 20 times a second. */
function plan(durationMs: number): LoadPlan {
  const fixed = { headers: [], bodyBase64: null, expectedStatus: 200 };
  return {
    runId: 'generator-test',
    trial: 1,
    seed: 1,
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    hostHeaders: ['127.0.0.1'],
    ratePerSecond: 20,
    durationMs,
    mix: [{ method: 'GET', path: '/', weight: 1, fixed }],
    connections: 'kept',
    deadlineMs: 5_000,
    maxConnections: 10,
    ...answerLimits,
    tls: null,
    primedNotes: 0,
    ledgerPath: join(folder, 'ledger.ndjson'),
    threads: 1,
  };
}

const deaf: LoadListener = { began: () => undefined, progress: () => undefined };

describe('the conversation with a generator on this machine', () => {
  it('tells when the load began, and ends with every outcome', async () => {
    const generator = new Generator(spawnGenerator(), plan(250));
    await generator.ready();
    let begunAtUs: number | null = null;
    const end = await generator.run({ ...deaf, began: ({ originUs }) => (begunAtUs = originUs) });
    generator.close();
    expect(end).toMatchObject({ aborted: null, originUs: begunAtUs, done: { due: 5, ok: 5, unfinished: 0 } });
    // The wall clock is what Date tells, on the clock of process.hrtime.
    const offsetUs = Date.now() * 1000 - Number(process.hrtime.bigint() / 1000n);
    for (const us of end.wallOffsetUs ?? [0, 0]) expect(Math.abs(us - offsetUs)).toBeLessThan(100_000);
  });

  it('finishes early with those that were due, and says so to nobody as an abort', async () => {
    const generator = new Generator(spawnGenerator(), plan(60_000));
    await generator.ready();
    const end = await generator.run({ ...deaf, began: () => generator.finish({ slots: 3 }) });
    generator.close();
    expect(end).toMatchObject({ aborted: null, done: { due: 3, ok: 3 } });
  });

  it('stops with the reason that was given first, and keeps what was counted', async () => {
    const generator = new Generator(spawnGenerator(), plan(60_000));
    await generator.ready();
    const began = (): void => {
      generator.stop('The first reason.');
      generator.stop('The second reason.');
    };
    const end = await generator.run({ ...deaf, began });
    generator.close();
    expect(end.aborted).toBe('The first reason.');
    expect(end.done?.due).toBeLessThan(5);
  });

  it('names a generator that was killed', async () => {
    const talk = spawnGenerator();
    const generator = new Generator(talk, plan(60_000));
    await generator.ready();
    const end = await generator.run({ ...deaf, began: () => talk.kill() });
    expect(end).toMatchObject({ done: null, wallOffsetUs: null });
    expect(end.aborted).toMatch(/^The load generator ended without a word\./u);
  });
});

describe('the conversation with a generator that says', () => {
  /** Says these messages, and then nothing more, or ends. */
  function saying(messages: readonly object[], ends: boolean): Conversation & { killed: boolean } {
    const lines = async function* (): AsyncGenerator<string> {
      for (const message of messages) yield JSON.stringify(message);
      if (!ends) await new Promise(() => undefined);
    };
    const talk = {
      killed: false,
      say: () => undefined,
      lines: lines(),
      close: () => undefined,
      kill: () => (talk.killed = true),
      stderr: () => 'some words\n',
    };
    return talk;
  }

  it.each([
    [
      'that a note was not acknowledged: the site failed',
      [{ kind: 'unprimed', note: 0, outcome: 'status-500', error: null }],
      'site-failed',
      'Before the load, the site did not acknowledge note 1 of those that the load reads: status-500.',
    ],
    [
      'nothing before the load: its last words are told',
      [],
      'generator-failed',
      'Before the load began, the load generator failed: some words',
    ],
    [
      'an error before the load: that is told',
      [{ kind: 'error', message: 'no plan came' }],
      'generator-failed',
      'Before the load began, the load generator failed: no plan came',
    ],
  ])('%s', async (_, messages, code, message) => {
    await expect(new Generator(saying(messages, true), plan(1)).ready()).rejects.toMatchObject({ code, message });
  });

  it('an error during the load', async () => {
    const failing = saying([{ kind: 'error', message: 'no file.' }], true);
    expect(await new Generator(failing, plan(1)).run(deaf)).toMatchObject({
      aborted: 'The load generator failed: no file.',
      done: null,
    });
  });

  it('nothing for half a minute, during the load: it is killed, and the run is cut short', async () => {
    vi.useFakeTimers();
    const origin = { kind: 'origin', originUs: 1, clock: { wallUs: 2, monotonicUs: 1 } };
    const silent = saying([origin], false);
    const running = new Generator(silent, plan(1)).run(deaf);
    await vi.advanceTimersByTimeAsync(29_900);
    expect(silent.killed).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(silent.killed).toBe(true);
    expect(await running).toMatchObject({
      aborted: 'The load generator said nothing for 30 s.',
      done: null,
      originUs: 1,
    });
  });

  it('nothing once it was told to stop: it is killed, and not waited for any longer', async () => {
    vi.useFakeTimers();
    const silent = saying([], false);
    const generator = new Generator(silent, plan(1));
    const running = generator.run(deaf);
    generator.stop('Enough.');
    await vi.advanceTimersByTimeAsync(3_900);
    expect(silent.killed).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(silent.killed).toBe(true);
    expect(await running).toMatchObject({ aborted: 'Enough.', done: null });
  });
});

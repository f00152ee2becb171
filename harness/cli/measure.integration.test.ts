/** `measure` as a user calls it, against a plain server that a command restarts; measure.lab.test.ts has what is on time. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { verdictSchema } from '../verdict/record/verdict.ts';
import { measuring, plainServer, stillRunning } from './testing-measure.ts';

const { at, measure, measured, serve, serveReplaceable } = measuring();

const startPlainServer = () => serveReplaceable(plainServer);

describe('measure', () => {
  it('says why no answer was as expected, with no command too', async () => {
    const asked = { url: (await startPlainServer()).url, duration: '300ms' };
    const status = await measured({ ...asked, expectStatus: 201 });
    expect(status.verdict.notes).toEqual(['At first no request was answered as expected: status-200.']);
    const { verdict } = await measured({ ...asked, http: 2 });
    expect(verdict.notes).toContain(
      'At first no request was answered as expected: HTTP/2 is not what the server speaks; ask it with --http 1.1.',
    );
  });

  it('makes no claim when the command failed, and tells its status', async () => {
    const { url } = await startPlainServer();
    const { verdict, exitCode } = await measured({ url, while: 'exit 7', settle: '500ms' });
    expect(verdict.reasons[0]).toContain('status 7');
    expect([verdict.verdict, exitCode]).toEqual(['inconclusive', 3]);
  });

  it('is inconclusive when the generator stood still for 300 ms', async () => {
    const { url } = await startPlainServer();
    const running = measure({ json: true, url, duration: '3s' });
    const { stdout: found } = await vi.waitFor(
      () => execa('pgrep', ['-P', String(running.pid), '-f', 'in-lab/load/main.ts']),
      { timeout: 20_000, interval: 100 },
    );
    // It warms up first.
    await sleep(1_500);
    const generator = Number(found);
    // A signal to process 0 would stop this test.
    expect(generator, found).toBeGreaterThan(1);
    process.kill(generator, 'SIGSTOP');
    await sleep(300);
    process.kill(generator, 'SIGCONT');
    const { stdout, exitCode } = await running;
    const verdict = verdictSchema.parse(JSON.parse(stdout));
    expect(verdict.reasons.join(' ')).toMatch(/stood still|left late/u);
    expect([verdict.verdict, verdict.due, exitCode]).toEqual(['inconclusive', 300, 3]);
  });

  it('keeps what was recorded when it is cut short', async () => {
    const { url } = await startPlainServer();
    const running = measure({ json: true, url, duration: '60s' });
    let said = '';
    running.stderr.on('data', (part: Buffer) => (said += part.toString()));
    const due = (): number => Number([...said.matchAll(/(\d+)(?: of \d+)? due/gu)].at(-1)?.[1] ?? 0);
    await vi.waitFor(() => expect(due(), said).toBeGreaterThan(99), { timeout: 30_000, interval: 50 });
    running.kill('SIGTERM');
    const { stdout, exitCode } = await running;
    const verdict = verdictSchema.parse(JSON.parse(stdout));
    expect(verdict.verdict).toBe('aborted');
    expect(verdict.due).toBeGreaterThan(50);
    expect(exitCode).toBe(143);
  });

  it('does not run the command where the service is ill before it, says how, and writes no secret down', async () => {
    const server = await serve(`import { createServer } from 'node:http';
      createServer((_, response) => response.writeHead(301, { Location: 'https://shop.test/', 'Content-Length': 0 }).end())
        .listen(0, '127.0.0.1', function () { console.log(this.address().port); });`);
    const { verdict, exitCode, file, textOf } = await measured({
      url: `${server.url}?token=hunter2`,
      header: ['Authorization: Bearer hunter2'],
      while: `touch ${at('deployed')}; PASSWORD=hunter2 true`,
    });
    expect(exitCode).toBe(3);
    expect(verdict.reasons[0]).toMatch(
      /(\d+) of \1 requests before the command .*leads to https:\/\/shop.test: ask that with --url https/u,
    );
    expect(existsSync(at('deployed'))).toBe(false);
    const { stdout: found } = await execa('grep', ['-rlz', 'hunter2', file('')], { reject: false });
    expect(found).toBe('');
    expect(textOf('run.json')).toContain('Authorization: ${AUTHORIZATION}');
  });

  it('fails a service that is not back, whatever may be dropped', async () => {
    const { url, pidFile } = await startPlainServer();
    const limits = { settle: '500ms', settleTimeout: '1s', maxDropped: 100_000 };
    const { verdict, exitCode } = await measured({ url, while: `kill $(cat ${pidFile})`, ...limits });
    expect(verdict).toMatchObject({ verdict: 'fail', headline: 'not back' });
    expect(exitCode).toBe(1);
  });

  it('ends the command, and what it started, with a run that is cut short', async () => {
    const { url } = await startPlainServer();
    const pids = at('pids');
    const running = measure({ json: true, url, while: `sleep 300 & echo $! $$ > ${pids}; sleep 300` });
    await vi.waitFor(() => expect(readFileSync(pids, 'utf8')).toMatch(/\d+ \d+\n/u), 20_000);
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(143);
    expect(await stillRunning(readFileSync(pids, 'utf8').trim().split(' '))).toEqual([]);
  });

  it('ends a command that takes too long, and the run with it', async () => {
    const { url } = await startPlainServer();
    const { verdict, exitCode } = await measured({ url, while: 'sleep 300', whileTimeout: '1s' });
    expect(verdict.verdict).toBe('aborted');
    expect(verdict.reasons[0]).toBe(
      'The command had not ended after 1 s (--while-timeout): it was ended, and the run with it. [aborted]',
    );
    expect(exitCode).toBe(3);
  });

  it('refuses a wrong option in a sentence, with exit 2', async () => {
    const { stderr, stdout, exitCode } = await measure({ url: 'ftp://127.0.0.1/' });
    expect(stderr).toContain('must begin with http://, https:// or unix:/');
    expect([stdout, exitCode]).toEqual(['', 2]);
  });
});

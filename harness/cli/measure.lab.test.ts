/** `measure` as a user calls it, against a plain server that a command restarts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { verdictSchema, type Verdict } from '../verdict/record/verdict.ts';
import { isOnlyLate } from './testing.ts';

const cliPath = fileURLToPath(new URL('../cli.ts', import.meta.url));
const folder = testFolder();
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A server as anybody would write it: it dies of SIGTERM as it stands. Its pid goes into a file, for the deploy. */
const serverScript = join(folder, 'server.mjs');
writeFileSync(
  serverScript,
  `import { createServer } from 'node:http';
   import { writeFileSync } from 'node:fs';
   createServer((_, response) => response.end('ok')).listen(Number(process.argv[2]), '127.0.0.1', () =>
     writeFileSync(process.argv[3], String(process.pid)));`,
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startPlainServer(): Promise<{ port: number; url: string; deploy: string }> {
  const port = await freePort();
  const pidFile = join(folder, `${port}.pid`);
  children.push(spawn(process.execPath, [serverScript, String(port), pidFile]));
  while (!existsSync(pidFile)) await new Promise((resolve) => setTimeout(resolve, 20));
  // Stops the old one, is gone for at least 300 ms, starts a new one that outlives the command.
  const deploy =
    `kill $(cat ${pidFile}); rm ${pidFile}; sleep 0.3; ` +
    `nohup ${process.execPath} ${serverScript} ${port} ${pidFile} >/dev/null 2>&1 & ` +
    `while [ ! -s ${pidFile} ]; do sleep 0.02; done`;
  return { port, url: `http://127.0.0.1:${port}/`, deploy };
}

const measure = (...words: string[]) =>
  execa(process.execPath, [cliPath, 'measure', '--out', folder, ...words], { reject: false });

async function measured(...words: string[]): Promise<{ verdict: Verdict; exitCode: number | undefined }> {
  const { stdout, exitCode } = await measure('--json', ...words);
  return { verdict: verdictSchema.parse(JSON.parse(stdout)), exitCode };
}

/** The same; again, at most twice, when all that can be said against it is that this machine was busy. */
async function measuredOnTime(...words: string[]): ReturnType<typeof measured> {
  for (let again = 2; ; again--) {
    const result = await measured(...words);
    if (again === 0 || !isOnlyLate(result.verdict)) return result;
  }
}

describe('measure', () => {
  it('says why no answer was as expected, with no command too', async () => {
    const { url } = await startPlainServer();
    const asked = ['--url', url, '--duration', '300ms'];
    const status = await measured(...asked, '--expect-status', '201');
    expect(status.verdict.notes).toEqual(['At first no request was answered as expected: status-200.']);
    const { verdict } = await measured(...asked, '--http', '2');
    expect(verdict.notes).toContain(
      'At first no request was answered as expected: HTTP/2 is not what the server speaks; ask it with --http 1.1.',
    );
  });

  it('drops nothing of a server that is left alone, and exits 0', async () => {
    const { url } = await startPlainServer();
    const { verdict, exitCode } = await measuredOnTime('--url', url, '--duration', '1s');
    expect(verdict.reasons).toEqual([]);
    expect(verdict).toMatchObject({ verdict: 'pass', due: 100, outcomes: { ok: 100 }, restarts: 0 });
    expect(exitCode).toBe(0);
  });

  it('counts the drops of a restart, tells the gap, and waits until the service is steady again', async () => {
    const { port, url, deploy } = await startPlainServer();
    const { verdict, exitCode } = await measuredOnTime(
      '--url',
      url,
      '--rate',
      '200',
      '--while',
      deploy,
      '--settle',
      '1s',
    );
    process.kill(Number(readFileSync(join(folder, `${port}.pid`), 'utf8')), 'SIGKILL');
    expect(exitCode).toBe(1);
    expect(verdict).toMatchObject({ verdict: 'fail', restarts: 1, badRestarts: 1 });
    // Gone for at least 300 ms: at least 60 slots less those at the edges; the new process needs some time to start.
    expect(verdict.dropped).toBeGreaterThanOrEqual(58);
    expect(verdict.gapMs).toBeGreaterThanOrEqual(290);
    // What was dropped is what was due in the gap, a slot or two at either edge aside.
    expect(Math.abs(verdict.dropped - (verdict.gapMs ?? 0) / 5)).toBeLessThanOrEqual(3);
    expect(Object.values(verdict.outcomes).reduce((sum, count) => sum + count, 0)).toBe(verdict.due);
    const report = readFileSync(join(folder, 'measure', verdict.runId, 'report.md'), 'utf8');
    expect(report).toContain('dropped something');
    expect(existsSync(join(folder, 'measure', verdict.runId, 'charts', 'restart-001.png'))).toBe(true);
  });

  it('allows what --max-dropped allows', async () => {
    const { url, deploy } = await startPlainServer();
    const { verdict, exitCode } = await measuredOnTime(
      ...['--url', url, '--while', deploy, '--settle', '500ms', '--max-dropped', '1000'],
    );
    expect(verdict.dropped).toBeGreaterThan(20);
    expect(verdict.reasons.filter((reason) => !reason.startsWith('Requests left late'))).toEqual([]);
    expect(isOnlyLate(verdict) ? 0 : exitCode).toBe(0);
  });

  it('makes no claim when the command failed, and tells its status', async () => {
    const { url } = await startPlainServer();
    const { verdict, exitCode } = await measured('--url', url, '--while', 'exit 7', '--settle', '500ms');
    expect(verdict.reasons[0]).toContain('status 7');
    expect(verdict.verdict).toBe('inconclusive');
    expect(exitCode).toBe(3);
  });

  it('is inconclusive when the generator stood still for 300 ms', async () => {
    const { url } = await startPlainServer();
    const running = measure('--json', '--url', url, '--duration', '3s');
    const { stdout: found } = await vi.waitFor(
      () => execa('pgrep', ['-P', String(running.pid), '-f', 'in-lab/load/main.ts']),
      { timeout: 20_000, interval: 100 },
    );
    // It warms up first.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const generator = Number(found);
    // A signal to process 0 would stop this test.
    expect(generator, found).toBeGreaterThan(1);
    process.kill(generator, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(generator, 'SIGCONT');
    const { stdout, exitCode } = await running;
    const verdict = verdictSchema.parse(JSON.parse(stdout));
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.reasons.join(' ')).toMatch(/stood still|left late/u);
    expect(verdict.due).toBe(300);
    expect(exitCode).toBe(3);
  });

  it('keeps what was recorded when it is cut short', async () => {
    const { url } = await startPlainServer();
    const running = measure('--json', '--url', url, '--duration', '60s');
    let said = '';
    running.stderr.on('data', (part: Buffer) => (said += part.toString()));
    const due = (): number => Number([...said.matchAll(/(\d+)(?: of \d+)? due/gu)].at(-1)?.[1] ?? 0);
    const ended = new AbortController();
    void running.finally(() => ended.abort());
    while (due() < 100 && !ended.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended.signal.aborted, said).toBe(false);
    running.kill('SIGTERM');
    const { stdout, exitCode } = await running;
    const verdict = verdictSchema.parse(JSON.parse(stdout));
    expect(verdict.verdict).toBe('aborted');
    expect(verdict.due).toBeGreaterThan(50);
    expect(exitCode).toBe(143);
  });

  it('does not run the command where the service is ill before it, says how, and writes no secret down', async () => {
    const port = await freePort();
    const script = `require('node:http').createServer((_, response) =>
      response.writeHead(301, { Location: 'https://shop.test/', 'Content-Length': 0 }).end()).listen(${port}, '127.0.0.1')`;
    children.push(spawn(process.execPath, ['-e', script]));
    await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' }), 5_000);
    const marker = join(folder, 'deployed');
    const secrets = ['--header', 'Authorization: Bearer hunter2', '--while', `touch ${marker}; PASSWORD=hunter2 true`];
    const url = `http://127.0.0.1:${port}/?token=hunter2`;
    const { verdict, exitCode } = await measured('--url', url, ...secrets);
    expect(exitCode).toBe(3);
    expect(verdict.reasons[0]).toMatch(
      /(\d+) of \1 requests before the command .*leads to https:\/\/shop.test: ask that with --url https/u,
    );
    expect(existsSync(marker)).toBe(false);
    const run = join(folder, 'measure', verdict.runId);
    const { stdout: found } = await execa('grep', ['-rlz', 'hunter2', run], { reject: false });
    expect(found).toBe('');
    expect(readFileSync(join(run, 'run.json'), 'utf8')).toContain('Authorization: ${AUTHORIZATION}');
  });

  it('fails a service that is not back, whatever may be dropped', async () => {
    const { port, url } = await startPlainServer();
    const deploy = `kill $(cat ${join(folder, `${port}.pid`)})`;
    const { verdict, exitCode } = await measured(
      ...['--url', url, '--while', deploy, '--settle', '500ms', '--settle-timeout', '1s', '--max-dropped', '100000'],
    );
    expect(verdict).toMatchObject({ verdict: 'fail', headline: 'not back' });
    expect(exitCode).toBe(1);
  });

  it('ends the command, and what it started, with a run that is cut short', async () => {
    const { url } = await startPlainServer();
    const pids = join(folder, 'pids');
    const running = measure('--json', '--url', url, '--while', `sleep 300 & echo $! $$ > ${pids}; sleep 300`);
    await vi.waitFor(() => expect(readFileSync(pids, 'utf8')).toMatch(/\d+ \d+\n/u), 20_000);
    running.kill('SIGTERM');
    const { exitCode } = await running;
    expect(exitCode).toBe(143);
    const { stdout } = await execa('ps', ['-o', 'stat=', '-p', readFileSync(pids, 'utf8').trim().replace(' ', ',')], {
      reject: false,
    });
    expect(stdout.split('\n').filter((state) => state !== '' && !state.startsWith('Z'))).toEqual([]);
  });

  it('ends a command that takes too long, and the run with it', async () => {
    const { url } = await startPlainServer();
    const { verdict, exitCode } = await measured('--url', url, '--while', 'sleep 300', '--while-timeout', '1s');
    expect(verdict.verdict).toBe('aborted');
    expect(verdict.reasons[0]).toBe(
      'The command had not ended after 1 s (--while-timeout): it was ended, and the run with it. [aborted]',
    );
    expect(exitCode).toBe(3);
  });

  it('refuses a wrong option in a sentence, with exit 2', async () => {
    const { stderr, stdout, exitCode } = await measure('--url', 'ftp://127.0.0.1/');
    expect(stderr).toContain('must begin with http://, https:// or unix:/');
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });
});

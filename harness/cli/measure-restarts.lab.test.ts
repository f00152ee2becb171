/** `measure --restarts` as a user calls it, against a server that drops what it is told to drop, at known restarts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { exactInterval } from '../base/interval.ts';
import { testFolder } from '../base/testing-folder.ts';
import type { GateResult } from '../gate/gate-result.ts';
import { runRecordSchema } from '../run/run-record.ts';
import { verdictSchema, type Verdict } from '../verdict/record/verdict.ts';
import { isOnlyLate } from './testing.ts';

const cliPath = fileURLToPath(new URL('../cli.ts', import.meta.url));
const folder = testFolder();
const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** `GET /restart?n=3` makes it version 3; every third version resets the next two requests. */
const serverScript = join(folder, 'server.mjs');
writeFileSync(
  serverScript,
  `import { createServer } from 'node:http';
   let [version, resets] = [0, 0];
   createServer((request, response) => {
     const asked = /^\\/restart\\?n=(\\d+)$/.exec(request.url);
     if (asked !== null) {
       version = Number(asked[1]);
       resets = version % 3 === 0 ? 2 : 0;
     } else if (resets > 0) {
       resets--;
       return request.socket.resetAndDestroy();
     }
     response.writeHead(200, { 'X-App-Version': 'v' + version }).end('ok');
   }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`,
);

async function startServer(): Promise<{ url: string; deploy: string; pid: number }> {
  const child = spawn(process.execPath, [serverScript], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const port = (await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve))).toString().trim();
  const deploy =
    `exec 3<>/dev/tcp/127.0.0.1/${port}\n` +
    `printf 'GET /restart?n=%s HTTP/1.0\\r\\n\\r\\n' "$RESTART" >&3\n` +
    'cat <&3 >/dev/null\n';
  return { url: `http://127.0.0.1:${port}/`, deploy, pid: child.pid ?? 0 };
}

const quick = ['--rate', '200', '--every', '100ms', '--settle', '500ms', '--seed', '7'];
const measure = (...words: string[]) =>
  execa(process.execPath, [cliPath, 'measure', '--json', '--out', folder, ...quick, ...words], { reject: false });

interface Measured {
  readonly verdict: Verdict;
  readonly exitCode: number | undefined;
  readonly stderr: string;
}

async function measured(...words: string[]): Promise<Measured> {
  const { stdout, exitCode, stderr } = await measure(...words);
  return { verdict: verdictSchema.parse(JSON.parse(stdout)), exitCode, stderr };
}

/** The same; again, at most twice, when this machine was so busy that a restart was void, which does not count. */
async function measuredWithoutVoid(...words: string[]): Promise<Measured> {
  for (let again = 2; ; again--) {
    const result = await measured(...words);
    if (again === 0 || result.verdict.voidRestarts === 0) return result;
  }
}

describe('measure --restarts', () => {
  it('finds the drops of each restart, bounds the bad ones, and says what a claim takes', async () => {
    const { url, deploy } = await startServer();
    const told = join(folder, 'told');
    const script = `${deploy}echo "$RESTART of $RESTARTS" >> ${told}`;
    const { verdict, exitCode, stderr } = await measuredWithoutVoid(
      ...['--url', url, '--while', script, '--restarts', '6', '--max-dropped', '4', '--claim', '95', '--must-change'],
    );
    expect(readFileSync(told, 'utf8').trim().split('\n').slice(-6)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `${n} of 6`));
    expect(verdict).toMatchObject({ dropped: 4, restarts: 6, badRestarts: 2, droppedOutsideRestarts: 0 });
    expect(verdict.perRestart.map(({ droppedInRestart }) => droppedInRestart)).toEqual([0, 0, 2, 0, 0, 2]);
    expect(verdict.badRestartsInterval95).toEqual(exactInterval(2, 6));
    // 0.95^59 < 5 % ≤ 0.95^58.
    expect(verdict.reasons.at(-1)).toContain('it takes 59 clean ones in a row (--restarts 59)');
    expect([verdict.verdict, exitCode]).toEqual(['inconclusive', 3]);
    expect(stderr).toContain('6 restarts under one load');
    const run = join(folder, 'measure', verdict.runId);
    const record = runRecordSchema.parse(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')));
    expect(record).toMatchObject({ service: { restarts: 6, everyMs: 100, claimPercent: 95 } });
    expect(readFileSync(join(run, 'report.md'), 'utf8')).toContain('runs 6 times?');
    expect(existsSync(join(run, 'charts', 'restart-003.png'))).toBe(true);
  });

  // What follows holds however late the machine is, and mostly waits.
  it.concurrent('ends with a command that fails, and makes no claim', async () => {
    const { url, deploy } = await startServer();
    const { verdict, exitCode } = await measured(
      ...['--url', url, '--while', `${deploy}[ $RESTART != 2 ]`, '--restarts', '5'],
    );
    expect(verdict.reasons.filter((reason) => !reason.includes('late'))).toEqual([
      expect.stringContaining('failed with status 1, in restart 2 of 5, which was the last') as string,
    ]);
    expect(verdict).toMatchObject({ verdict: 'inconclusive', perRestart: { length: 2 } });
    expect(exitCode).toBe(3);
  });

  it.concurrent('takes restarts and a budget of bad ones from a file', async () => {
    const { url, deploy } = await startServer();
    const budgets = join(folder, 'budgets.yaml');
    const asked = { url, while: deploy, restarts: '3' };
    const allowed = { badRestarts: { max: 1, because: 'every third restart drops' } };
    // JSON is YAML.
    writeFileSync(budgets, JSON.stringify({ services: [{ name: 'shop', measure: asked, budgets: allowed }] }));
    const { stdout, exitCode } = await measure('--budgets', budgets);
    const [entry] = (JSON.parse(stdout) as GateResult).entries;
    const path = join(folder, 'measure', entry?.tries[0]?.runId ?? '', 'verdict.json');
    const verdict = verdictSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    expect(verdict).toMatchObject({ dropped: 2, badRestarts: 1, perRestart: { length: 3 } });
    if (isOnlyLate(verdict)) return;
    expect(entry?.checks).toContainEqual(expect.objectContaining({ measured: '1 of 3', outcome: 'met' }));
    expect(exitCode).toBe(0);
  });

  it.concurrent('ends with a service that is not back, and fails it', async () => {
    const { url, deploy, pid } = await startServer();
    const { verdict, exitCode } = await measured(
      ...['--url', url, '--while', `if [ $RESTART = 3 ]; then kill ${pid}; exit; fi\n${deploy}`, '--restarts', '5'],
      ...['--max-dropped', '100000', '--claim', '99', '--settle-timeout', '3s'],
    );
    expect(verdict).toMatchObject({ verdict: 'fail', headline: 'not back', perRestart: { length: 3 } });
    expect(exitCode).toBe(1);
  });

  it.concurrent(
    'keeps the restarts that were made when it is interrupted, and ends what the command left running',
    async () => {
      const { url, deploy } = await startServer();
      const pids = join(folder, 'pids');
      const script = `${deploy}sleep 300 & echo $! >> ${pids}\nif [ $RESTART = 3 ]; then echo $$ >> ${pids}; sleep 300; fi`;
      const running = measure('--url', url, '--while', script, '--restarts', '5');
      const told = (): string[] => (existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n') : []);
      await vi.waitFor(() => expect(told()).toHaveLength(4), { timeout: 30_000, interval: 50 });
      running.kill('SIGINT');
      const { stdout, exitCode } = await running;
      const verdict = verdictSchema.parse(JSON.parse(stdout));
      expect(verdict).toMatchObject({ verdict: 'aborted', perRestart: { length: 3 } });
      expect(verdict.outcomes['ok']).toBeGreaterThan(200);
      expect(exitCode).toBe(130);
      const { stdout: states } = await execa('ps', ['-o', 'stat=', '-p', told().join(',')], { reject: false });
      expect(states.split('\n').filter((state) => state !== '' && !state.startsWith('Z'))).toEqual([]);
    },
  );
});

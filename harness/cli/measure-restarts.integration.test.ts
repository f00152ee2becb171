/** `measure --restarts` as a user calls it, against a server that drops what it is told to drop, at known restarts. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { exactInterval } from '../base/interval.ts';
import type { GateResult } from '../gate/gate-result.ts';
import { runRecordSchema } from '../run/run-record.ts';
import { verdictSchema } from '../verdict/record/verdict.ts';
import { measuring, stillRunning } from './testing-measure.ts';
import { isOnlyLate } from './testing.ts';

const { at, measure, measured, measuredOnTime, serve } = measuring();

/** `GET /restart?n=3` makes it version 3; every third version resets the next two requests. */
const script = `import { createServer } from 'node:http';
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
   }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;

/** A server, and options that restart it quickly. */
async function startServer() {
  const { url, port, pid } = await serve(script);
  const deploy =
    `exec 3<>/dev/tcp/127.0.0.1/${port}\n` +
    `printf 'GET /restart?n=%s HTTP/1.0\\r\\n\\r\\n' "$RESTART" >&3\n` +
    'cat <&3 >/dev/null\n';
  return { deploy, pid, asked: { url, while: deploy, ...quick } };
}

const quick = { rate: 200, every: '100ms', settle: '500ms', seed: 7 };

describe('measure --restarts', () => {
  it('finds the drops of each restart, bounds the bad ones, and says what a claim takes', async () => {
    const { asked, deploy } = await startServer();
    const told = at('told');
    const limits = { restarts: 6, maxDropped: 4, claim: 95, mustChange: true } as const;
    const { verdict, exitCode, stderr, file, textOf } = await measuredOnTime(
      { ...asked, while: `${deploy}echo "$RESTART of $RESTARTS" >> ${told}`, ...limits },
      // A void restart does not count.
      ({ voidRestarts }) => voidRestarts > 0,
    );
    expect(readFileSync(told, 'utf8').trim().split('\n').slice(-6)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `${n} of 6`));
    expect(verdict).toMatchObject({ dropped: 4, restarts: 6, badRestarts: 2, droppedOutsideRestarts: 0 });
    expect(verdict.perRestart.map(({ droppedInRestart }) => droppedInRestart)).toEqual([0, 0, 2, 0, 0, 2]);
    expect(verdict.badRestartsInterval95).toEqual(exactInterval(2, 6));
    // 0.95^59 < 5 % ≤ 0.95^58.
    expect(verdict.reasons.at(-1)).toContain('it takes 59 clean ones in a row (--restarts 59)');
    expect([verdict.verdict, exitCode]).toEqual(['inconclusive', 3]);
    expect(stderr).toContain('6 restarts under one load');
    expect(runRecordSchema.parse(JSON.parse(textOf('run.json')))).toMatchObject({
      service: { restarts: 6, everyMs: 100, claimPercent: 95 },
    });
    expect(textOf('report.md')).toContain('runs 6 times?');
    expect(existsSync(file('charts/restart-003.png'))).toBe(true);
  });

  // What follows holds however late the machine is, and mostly waits.
  it.concurrent('ends with a command that fails, and makes no claim', async () => {
    const { asked, deploy } = await startServer();
    const failing = { ...asked, while: `${deploy}[ $RESTART != 2 ]`, restarts: 5 };
    const { verdict, exitCode } = await measured(failing);
    expect(verdict.reasons.filter((reason) => !reason.includes('late'))).toEqual([
      expect.stringContaining('failed with status 1, in restart 2 of 5, which was the last') as string,
    ]);
    expect(verdict).toMatchObject({ verdict: 'inconclusive', perRestart: { length: 2 } });
    expect(exitCode).toBe(3);
  });

  it.concurrent('takes restarts and a budget of bad ones from a file', async () => {
    const { asked, deploy } = await startServer();
    const budgets = at('budgets.yaml');
    const shop = {
      name: 'shop',
      measure: { url: asked.url, while: deploy, restarts: '3' },
      budgets: { badRestarts: { max: 1, because: 'every third restart drops' } },
    };
    // JSON is YAML.
    writeFileSync(budgets, JSON.stringify({ services: [shop] }));
    const { stdout, exitCode } = await measure({ json: true, budgets, ...quick });
    const [entry] = (JSON.parse(stdout) as GateResult).entries;
    const path = at(`measure/${entry?.tries[0]?.runId ?? ''}/verdict.json`);
    const verdict = verdictSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    expect(verdict).toMatchObject({ dropped: 2, badRestarts: 1, perRestart: { length: 3 } });
    if (isOnlyLate(verdict)) return;
    expect(entry?.checks).toContainEqual(expect.objectContaining({ measured: '1 of 3', outcome: 'met' }));
    expect(exitCode).toBe(0);
  });

  it.concurrent('ends with a service that is not back, and fails it', async () => {
    const { asked, deploy, pid } = await startServer();
    const limits = { restarts: 5, maxDropped: 100_000, claim: 99, settleTimeout: '3s' };
    const { verdict, exitCode } = await measured({
      ...{ ...asked, ...limits },
      while: `if [ $RESTART = 3 ]; then kill ${pid}; exit; fi\n${deploy}`,
    });
    expect(verdict).toMatchObject({ verdict: 'fail', headline: 'not back', perRestart: { length: 3 } });
    expect(exitCode).toBe(1);
  });

  it.concurrent(
    'keeps the restarts that were made when it is interrupted, and ends what the command left',
    async () => {
      const { asked, deploy } = await startServer();
      const pids = at('pids');
      const left = `${deploy}sleep 300 & echo $! >> ${pids}\nif [ $RESTART = 3 ]; then echo $$ >> ${pids}; sleep 300; fi`;
      const running = measure({ json: true, ...asked, while: left, restarts: 5 });
      const told = (): string[] => (existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n') : []);
      await vi.waitFor(() => expect(told()).toHaveLength(4), { timeout: 30_000, interval: 50 });
      running.kill('SIGINT');
      const { stdout, exitCode } = await running;
      const verdict = verdictSchema.parse(JSON.parse(stdout));
      expect(verdict).toMatchObject({ verdict: 'aborted', perRestart: { length: 3 } });
      expect(verdict.outcomes['ok']).toBeGreaterThan(200);
      expect(exitCode).toBe(130);
      expect(await stillRunning(told())).toEqual([]);
    },
  );
});

/** `measure --compare` as a user calls it: two deploys of one server, one of which resets requests. */
import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DeployComparison } from '../gate/compare-deploys.ts';
import { runRecordSchema, type ServiceRun } from '../run/run-record.ts';
import { measuring } from './testing-measure.ts';

const { at, measure, serve } = measuring();

const reports = at('reports');

/** SIGHUP is a deploy: it resets the next two requests. */
const script = `
import { createServer } from 'node:http';
let resets = 0;
process.on('SIGHUP', () => (resets = 2));
createServer((request, response) => {
  if (resets-- > 0) return request.socket.resetAndDestroy();
  response.end('ok');
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;

it('measures A B B A, and tells the deploy that drops less', async () => {
  const { url, pid } = await serve(script);
  const deploy = (name: string, command: string): string => {
    const path = at(`${name}.yaml`);
    const options = `      url: ${url}\n      while: ${command}\n`;
    writeFileSync(path, `services:\n  - name: ${name}\n    measure:\n${options}`);
    return path;
  };
  const files = [deploy('hard', `kill -HUP ${pid}`), deploy('soft', 'exit 0')];
  const quick = { rate: 100, restarts: 3, every: '100ms', settle: '500ms', seed: 5 };
  const { stdout, exitCode, stderr } = await compareOnTime({ compare: files, ...quick, json: true, out: reports });
  expect(stderr).toContain('With 6 restarts each, 5 bad ones against none can be told from chance; fewer cannot.');
  const comparison = JSON.parse(stdout) as DeployComparison;
  expect(comparison).toMatchObject({
    less: 'b',
    a: { name: 'hard', badRestarts: 6, restarts: 6, dropped: 12 },
    b: { name: 'soft', badRestarts: 0, restarts: 6, dropped: 0 },
    alsoDiffers: [],
  });
  expect(exitCode).toBe(0);
  const measured = join(reports, 'measure');
  const runIds = readdirSync(measured).filter((name) => /^\d{8}T/u.test(name));
  const runs = runIds.sort().map((id) => recordOf(join(measured, id)));
  expect(runs.map(({ service }) => service.whileCommand === 'exit 0')).toEqual([false, true, true, false]);
  expect(runs.map(({ seed }) => seed)).toEqual([5, 6, 7, 8]);
  expect([comparison.a.runIds, comparison.b.runIds]).toEqual([
    [runIds[0], runIds[3]],
    [runIds[1], runIds[2]],
  ]);
  expect(JSON.parse(readFileSync(join(measured, 'compared', runIds[0] ?? '', 'comparison.json'), 'utf8'))).toEqual(
    comparison,
  );
  expect(readlinkSync(join(measured, 'compared', 'latest'))).toBe(runIds[0]);
});

/** Again, at most twice, when this machine was so busy that a measurement cannot be trusted. */
async function compareOnTime(options: Parameters<typeof measure>[0]) {
  for (let again = 2; ; again--) {
    const result = await measure(options);
    if (again === 0 || result.exitCode !== 3) return result;
    rmSync(reports, { recursive: true });
  }
}

function recordOf(run: string): ServiceRun {
  const record = runRecordSchema.parse(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')));
  if (record.kind !== 'measure') throw new Error(`${run} is no measurement`);
  return record;
}

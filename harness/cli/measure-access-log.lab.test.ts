/** `measure --access-log` against a server that does with some requests, and writes of them, what is known beforehand. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { runFiles } from '../run/run-folder.ts';
import { verdictSchema } from '../verdict/record/verdict.ts';

const cliPath = fileURLToPath(new URL('../cli.ts', import.meta.url));
const folder = testFolder();
const [script, log, portFile] = [join(folder, 'server.mjs'), join(folder, 'access.log'), join(folder, 'port')];
let server: ChildProcess;

/** By the slot's number within fifty; all others are answered, and written down once. Its log moves away at slot 100. */
writeFileSync(
  script,
  `import { createServer } from 'node:http';
   import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
   const [log, portFile] = process.argv.slice(2);
   const write = (request, status, id = request.headers['x-request-id']) => appendFileSync(log,
     \`1.2.3.4 - - [27/Nov/2026:13:42:42 +0000] "\${request.method} \${request.url} HTTP/1.1" \${status} 2 "-" "-" \${id}\\n\`);
   createServer((request, response) => {
     const seq = Number(/-(\\d+)$/u.exec(request.headers['x-request-id'])[1]);
     if (seq === 100) renameSync(log, log + '.1');
     const slot = seq % 50;
     const [written, answered] = { 7: [[200], 0], 9: [[], 0], 11: [[503], 503], 13: [[200, 200], 200], 17: [seq === 17 ? [] : [200], 200],
       19: [[201], 200], 23: [[200], 500], 27: [[499], 0] }[slot] ?? [[200], 200];
     for (const status of written) write(request, status);
     if (slot === 30) write({ method: 'GET', url: '/private?token=of-somebody' }, 200, 'another-id');
     if (slot === 31) appendFileSync(log, 'words of of-somebody that are no line of an access log\\n');
     if (answered === 0) return request.socket.destroy();
     response.statusCode = answered;
     response.end('ok');
   }).listen(0, '127.0.0.1', function () { writeFileSync(portFile, String(this.address().port)); });`,
);

beforeAll(async () => {
  writeFileSync(log, 'a line of yesterday\n');
  server = spawn(process.execPath, [script, log, portFile]);
  await vi.waitFor(() => expect(readFileSync(portFile, 'utf8')).toMatch(/^\d+$/u), 10_000);
});
afterAll(() => void server.kill('SIGKILL'));

it('an access log says what became of each drop, changes no count, and no line of others is kept', async () => {
  const url = `http://127.0.0.1:${readFileSync(portFile, 'utf8')}/orders`;
  const load = [
    '--url',
    url,
    '--method',
    'POST',
    '--body',
    'x',
    '--connections',
    'new',
    '--rate',
    '500',
    '--duration',
    '500ms',
  ];
  const words = ['measure', '--json', '--out', folder, ...load, '--access-log', log];
  const { stdout } = await execa(process.execPath, [cliPath, ...words], { reject: false });
  const verdict = verdictSchema.parse(JSON.parse(stdout));
  const run = join(folder, 'measure', verdict.runId);
  // Of each of the fifty there are five.
  expect(verdict).toMatchObject({ due: 250, dropped: 25, unexplained: 5, outcomes: { ok: 225 } });
  expect(verdict.serverLog?.processedWrites).toEqual({ certain: 10, likely: 0 });
  expect(verdict.serverLog?.logs).toMatchObject([
    {
      formats: ['combined (nginx, Apache)'],
      // 250, less six that were not written, and five twice; five of somebody else, and five of no known form.
      ...{ lines: 259, ours: 249, notUnderstood: 5, joined: 'id' },
      drops: {
        'answered 200 (the answer was lost on the way)': 5,
        'no line: it never reached the server, or that ended before it wrote one': 5,
        'answered 503': 5,
        'answered 200, and the client got 500': 5,
        'had it, and gave no answer (499)': 5,
      },
      ...{ twice: 5, missing: 1, differing: 5 },
    },
  ]);
  expect(verdict.notes).toEqual([
    expect.stringMatching(
      /It has 5 requests several times.*1 request that was answered ok.*of 5 ok answers.*replaced 1 time /u,
    ),
  ]);
  const files = readdirSync(run, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { name, parentPath } of files) {
    const bytes = readFileSync(join(parentPath, name));
    expect((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).includes('of-somebody')).toBe(false);
  }
  const report = readFileSync(join(run, runFiles.report), 'utf8');
  expect(report).toMatch(/\| had it, and gave no answer \(499\) *\| 5 /u);
  expect(report).toContain('row 7, witnesses/server-log.ndjson.gz:8');
});

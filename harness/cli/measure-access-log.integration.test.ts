/** `measure --access-log` against a server that does with some requests, and writes of them, what is known beforehand. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { runFiles } from '../run/run-folder.ts';
import { measuring } from './testing-measure.ts';

const { at, measured, serve } = measuring();

const log = at('access.log');

/** By the slot's number within fifty; all others are answered, and written down once. Its log moves away at slot 100. */
const script = `import { createServer } from 'node:http';
   import { appendFileSync, renameSync } from 'node:fs';
   const [, , log] = process.argv;
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
   }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;

it('an access log says what became of each drop, changes no count, and no line of others is kept', async () => {
  writeFileSync(log, 'a line of yesterday\n');
  const { url } = await serve(script, log);
  const load = { method: 'POST', body: 'x', connections: 'new', rate: 500, duration: '500ms' };
  const { verdict, file, textOf } = await measured({ url: `${url}orders`, ...load, accessLog: [log] });
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
  const files = readdirSync(file(''), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { name, parentPath } of files) {
    const bytes = readFileSync(join(parentPath, name));
    expect((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).includes('of-somebody')).toBe(false);
  }
  const report = textOf(runFiles.report);
  expect(report).toMatch(/\| had it, and gave no answer \(499\) *\| 5 /u);
  expect(report).toContain('row 7, witnesses/server-log.ndjson.gz:8');
});

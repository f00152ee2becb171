/** `measure` with a mix of requests, as a user calls it, against a server that answers some of them wrongly. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listen } from '../in-lab/load/testing.ts';
import { verdictSchema } from '../verdict/record/verdict.ts';
import { measuring } from './testing-measure.ts';

const { at, measure } = measuring();

it('counts each request of a mix on its own, and names the expectation that was missed', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push(`${method} ${url} ${String(headers['x-request-id'])} ${String(headers.authorization)}`);
    // The second half of the orders has another state.
    if (url.startsWith('/orders')) response.end(`{"state": "${Number(url.split('=')[1]) < 100 ? 'new' : 'old'}"}`);
    else response.end('shop');
  });
  const origin = `http://127.0.0.1:${await listen(server)}`;
  const budgets = at('budgets.yaml');
  writeFileSync(
    budgets,
    `services:
  - name: shop
    measure:
      url: ${origin}/
      duration: 2s
      requests:
        - { name: home, path: /, weight: 3, expect: { body: shop } }
        - { method: HEAD, path: / }
        - name: order
          path: /orders?n={seq}
          headers: { Authorization: 'Bearer \${TOKEN}' }
          expect: { json: { $.state: new } }
    budgets: { dropped: { max: 0, because: nobody may notice } }
`,
  );
  const { stdout, stderr, exitCode } = await measure({ budgets, seed: 7 }, { TOKEN: 's3cr3t-token' });
  server.close();
  expect(exitCode).toBe(1);
  const run = /report: (\S+)\/report\.md/u.exec(stderr)?.[1] ?? expect.fail(stderr);
  const file = (name: string): string => readFileSync(join(run, name), 'utf8');
  const { perRequest = [], dropped, failureKinds } = verdictSchema.parse(JSON.parse(file('verdict.json')));
  expect(perRequest.map(({ request, due, dropped: own, missed }) => [request, due, own, missed])).toEqual([
    ['home', 120, 0, {}],
    ['HEAD /', 40, 0, {}],
    ['order', 40, 20, { 'expected json $.state': 20 }],
  ]);
  expect([dropped, failureKinds]).toEqual([20, { 'wrong answer': 20 }]);
  // Each was sent once, with its own id, and with the secret that nothing tells of.
  expect(new Set(seen).size).toBe(200);
  expect(seen.filter((one) => one.endsWith('Bearer s3cr3t-token'))).toHaveLength(40);
  expect(stdout + stderr + file('run.json') + file('report.md') + file('verdict.json')).not.toContain('s3cr3t');
  expect(file('report.md')).toContain('| order   | GET /orders?n={seq} | 40  | 20      | ok 20, wrong 20 |');
  expect(file('run.json')).toMatch(/--requests '\S+budgets.yaml#shop'/u);
});

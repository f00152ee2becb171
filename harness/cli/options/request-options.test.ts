/** A mix of requests as a user writes it: every mistake is one sentence with its place, and no secret is written down. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { HarnessError } from '../../base/errors.ts';
import { readServiceFile } from '../../gate/files/read-budgets.ts';
import { optionsOfFile } from './file-options.ts';
import type { MeasureOptions } from './measure-options.ts';
import { targetOf } from './service-options.ts';

const folder = testFolder();
const url = 'http://127.0.0.1:9/';

async function targetFrom(yaml: string, options: MeasureOptions = {}, environment: NodeJS.ProcessEnv = {}) {
  const path = join(folder, 'mix.yaml');
  await writeFile(path, yaml);
  return await targetOf({ url, requests: path, ...options }, environment);
}

async function said(yaml: string, options: MeasureOptions = {}): Promise<string> {
  const error: unknown = await targetFrom(yaml, options).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HarnessError)) throw new Error(`no error of ours: ${String(error)}`);
  expect(error.exitCode).toBe(2);
  return error.message;
}

it.each<[yaml: string, sentence: string, options?: MeasureOptions]>([
  ['', ':1:1: is empty'],
  ['[]', ':1:1: must be a list of at least 1, not of 0'],
  ['requests: [{ path: /x }]', ':1:1: must be a list, not a map of fields'],
  ['- { path: /x', ':1:13: cannot be read as YAML'],
  ['- { method: GET }', ':1:3: 0.path: is missing: it must be text'],
  ['- { pth: /x }', ':1:5: 0.pth: there is no such field. Did you mean path?'],
  ['- path: orders', ':1:9: 0.path: must begin with /'],
  ['- path: /x/{idd}', ':1:9: 0.path: {idd} is not filled in: there are {id} and {seq}. Did you mean id?'],
  ['- path: /a b', ':1:9: 0.path: must be as it is sent'],
  ['- { path: /x, method: GTE }', ':1:23: 0.method: must be GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE'],
  ['- { path: /x, weight: 0 }', ':1:23: 0.weight: must be above 0, not 0'],
  ['- { path: /x, weight: heavy }', ':1:23: 0.weight: must be a number, not "heavy"'],
  ['- { path: /x, weight: 1000 }\n- path: /y', ':2:3: 1.weight: so small a share gets none of 100 slots'],
  ['- { path: /x, headers: { A: [1] } }', ':1:26: 0.headers.A: must be text, not a list'],
  ['- { path: /x, headers: { "a b": c } }', ':1:33: 0.headers.a b: is no name of a header'],
  ['- { path: /x, headers: { Connection: close } }', ':1:38: 0.headers.Connection: is set by the instrument itself'],
  ['- { path: /x, headers: { Host: a } }', ':1:32: 0.headers.Host: is the same for all requests'],
  ['- { path: /x, headers: { A: "${NONE}" } }', ':1:29: 0.headers.A names ${NONE}, and the environment has no NONE'],
  ['- { path: /x, body: "@none.bin" }', ':1:21: 0.body: the file none.bin does not exist'],
  ['- { path: /x, expect: { statsu: 200 } }', ':1:25: 0.expect.statsu: there is no such field. Did you mean status?'],
  ['- { path: /x, expect: { status: 99 } }', ':1:33: 0.expect.status: must be at least 200, not 99'],
  [
    '- { path: /x, expect: { body: "/(/" } }',
    ':1:31: 0.expect.body: is no regular expression: /(/: Unterminated group',
  ],
  ['- { path: /x, expect: { json: { order.id: 1 } } }', ':1:43: 0.expect.json.order.id: is no JSON path'],
  ['- { path: /x, method: HEAD, expect: { body: x } }', ':1:29: 0.expect: an answer to HEAD has no body'],
  ['- path: /x\n- path: /x', ':2:3: 1: GET /x is there twice'],
  ['- path: /x', '--method is about a single request', { method: 'POST' }],
  ['- path: /x', '--body is about a single request', { body: 'x' }],
  ['- path: /x', '--url must have no path with --requests', { url: `${url}shop` }],
])('%j is refused: %s', async (yaml, sentence, options) => {
  expect(await said(yaml, options)).toContain(sentence);
});

it('names the page of the fields of a request', async () => {
  await expect(targetFrom('- { path: /x, weight: 0 }')).rejects.toMatchObject({
    hint: 'The fields are explained in docs/measure.md.',
  });
});

it('sends secrets, and writes down the variables that hold them', async () => {
  const yaml = `
- name: order
  method: POST
  path: /orders?token=abc&n={seq}
  headers: { Authorization: Bearer s3cr3t, X-Id: '{id} {{id}} $\${id} \${NAME}' }
  body: '{"key": "\${NAME}", "id": "{id}"}'
  expect: { status: 201, header: { Set-Cookie: s3cr3t, X-Name: '\${NAME}' }, body: '\${NAME}', json: { $.a: 1 } }
`;
  const { service, request } = await targetFrom(yaml, { header: ['X-All: 1'] }, { NAME: 's3cr3t' });
  expect(service.method).toBeNull();
  expect(service.requests).toEqual([
    {
      ...{ name: 'order', method: 'POST', weight: 1, slotsOf100: 100, bodyBytes: 27 },
      path: '/orders?token=${TOKEN}&n={seq}',
      headers: [
        ['X-All', '1'],
        ['Authorization', '${AUTHORIZATION}'],
        ['X-Id', '{id} {{id}} $${id} ${NAME}'],
      ],
      expect: [
        'status 201',
        'header Set-Cookie is "${SET_COOKIE}"',
        'header X-Name is "${NAME}"',
        'body contains "${NAME}"',
        'json $.a is 1',
      ],
    },
  ]);
  expect(JSON.stringify(service)).not.toContain('s3cr3t');
  expect(request.mix?.[0]?.mixed).toEqual({
    name: 'order',
    target: ['/orders?token=abc&n=', 'seq', ''],
    headers: [
      ['X-All', ['1']],
      ['Authorization', ['Bearer s3cr3t']],
      ['X-Id', ['', 'id', ' {id} ${id} s3cr3t']],
    ],
    body: { text: ['{"key": "s3cr3t", "id": "', 'id', '"}'] },
    expected: {
      status: 201,
      headers: [
        ['Set-Cookie', { text: 's3cr3t' }],
        ['X-Name', { text: 's3cr3t' }],
      ],
      body: { text: 's3cr3t' },
      json: [['$.a', 1]],
    },
  });
});

it('takes the list of a service from its budgets file, and names it for a repetition', async () => {
  const below = join(folder, 'below');
  await mkdir(below, { recursive: true });
  await writeFile(join(below, 'raw.bin'), Buffer.from([0, 255, 10]));
  const yaml = `services:
  - name: shop
    measure:
      url: ${url}
      requests:
        - { path: /x, method: PUT, body: '@raw.bin', weight: 3, headers: { A: 010 } }
        - { path: /y, expect: { json: { $.n: 5 } } }
    budgets: { dropped: { max: 0, because: nobody knows } }
`;
  const path = join(below, 'budgets.yaml');
  await writeFile(path, yaml);
  const [entry] = (await readServiceFile(path, path)).entries;
  if (entry === undefined) throw new Error('no entry');
  const options = optionsOfFile(entry, path);
  const target = await targetOf(options, {});
  expect(target.request.mix?.map(({ mixed }) => mixed)).toMatchObject([
    { body: { base64: Buffer.from([0, 255, 10]).toString('base64') }, headers: [['A', ['010']]] },
    { expected: { json: [['$.n', 5]] } },
  ]);
  expect(target.service.requests?.map(({ slotsOf100 }) => slotsOf100)).toEqual([76, 24]);
  expect(await targetOf({ url, requests: options.requestList?.source ?? '' }, {})).toEqual(target);
  await expect(targetOf({ url, requests: `${path}#none` }, {})).rejects.toThrow('has no service "none" with requests');
});

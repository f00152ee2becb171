/** What `init` makes of each kind of folder, and that `measure` reads it. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { emptiedFolder } from '../base/testing-folder.ts';
import { errorText } from '../base/error-text.ts';
import { serviceFileSchema } from '../gate/files/budgets.ts';
import { parseBudgets, readServiceFile } from '../gate/files/read-budgets.ts';
import { budgetsFile, ciFiles } from '../init/files.ts';
import { serviceFile } from '../init/service-file.ts';
import { guessRun } from '../init/service-guess.ts';
import { writtenServiceSchema } from '../own-service/read-service.ts';
import { guess } from '../init/guess.ts';
import { checked, optionsOf } from './gate/measured.ts';
import { init } from './init.ts';
import { testContext } from './testing-context.ts';

const folder = emptiedFolder();
const budgetsPath = join(folder, 'project', 'restart-proof.yaml');

type Files = Readonly<Record<string, string>>;

async function written(files: Files): Promise<void> {
  await mkdir(join(folder, 'project'), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, 'project', path)), { recursive: true });
    await writeFile(join(folder, 'project', path), text);
  }
}

/** Calls it, and gives what it said. */
async function called(files: Files, options: { dryRun?: true } = {}): Promise<{ code: number; said: string }> {
  await written(files);
  const context = testContext();
  const code = await init.run(context, join(folder, 'project'), options);
  return { code, said: context.printed() };
}

const service = 'ExecStart=/opt/shop/shop';
const express = {
  'package-lock.json': '{}',
  'package.json':
    '{\n  "name": "@acme/shop",\n  "scripts": { "start": "node server.js" },\n  "dependencies": { "express": "5" }\n}\n',
  'server.js': "app.get('/health', answer);\napp.listen(process.env.PORT || 3001);\n",
};

/** Files, then the url and command of each service that is written; null where the command is the user's to write. */
const kinds: readonly (readonly [
  kind: string,
  files: Files,
  services: readonly (readonly [string, string, string | null])[],
])[] = [
  [
    'Go',
    {
      'go.mod': 'module example.com/acme/shop/v2\n',
      'main.go':
        'package main\nfunc main() {\n\tmux.HandleFunc("GET /healthz", live)\n\thttp.ListenAndServe(":8081", mux)\n}\n',
      'main_test.go': 'package main\nvar other = ":9999"\n',
    },
    [['shop', 'http://127.0.0.1:8081/healthz', null]],
  ],
  ['Node with Express', express, [['shop', 'http://127.0.0.1:3001/health', null]]],
  [
    'Node with pm2',
    { ...express, 'ecosystem.config.cjs': "module.exports = { apps: [{ name: 'shop-web', script: 'server.js' }] };\n" },
    [['shop', 'http://127.0.0.1:3001/health', 'pm2 reload shop-web']],
  ],
  [
    'Python with gunicorn',
    {
      'pyproject.toml': '[project]\nname = "shop-py"\n',
      'requirements.txt': 'gunicorn==23.0.0\n',
      Procfile: 'web: gunicorn shop:app\n',
      'shop.py': '@app.get("/readyz")\n@app.get("/livez")\n',
    },
    [['shop-py', 'http://127.0.0.1:8000/livez', null]],
  ],
  [
    'a port of the environment',
    { '.env': 'SECRET=s3cr3t\nPORT=5005\n', ...express },
    [['shop', 'http://127.0.0.1:5005/health', null]],
  ],
  [
    'a Dockerfile',
    { Dockerfile: 'EXPOSE 8088\nHEALTHCHECK CMD curl -f http://localhost:8088/up/ok\nCMD ["/shop"]\n' },
    [['project', 'http://127.0.0.1:8088/up/ok', null]],
  ],
  [
    'compose',
    {
      'compose.yaml':
        'services:\n  db:\n    image: postgres\n    ports: ["5432:5432"]\n  web:\n    build: ./web\n    ports:\n      - "127.0.0.1:${WEB_PORT:-8090}:80"\n',
    },
    [['web', 'http://127.0.0.1:8090/', 'docker compose up -d --build --force-recreate --no-deps --wait web']],
  ],
  [
    'compose with a proxy in front',
    {
      'docker-compose.yml':
        'services:\n  front:\n    image: nginx\n    ports: [{ published: 8443, target: 443 }]\n  web: { build: . }\n',
    },
    [['web', 'https://127.0.0.1:8443/', 'docker compose up -d --build --force-recreate --no-deps --wait web']],
  ],
  [
    'a unit with a socket',
    {
      'deploy/shop.service': `[Service]\n${service} --port 9000\n`,
      'deploy/shop.socket': '[Socket]\nListenStream=127.0.0.1:8096\n',
    },
    [['shop', 'http://127.0.0.1:8096/', 'systemctl restart shop']],
  ],
  [
    'a unit with a Unix socket',
    { 'shop.service': `[Service]\n${service}\n`, 'shop.socket': '[Socket]\nListenStream=/run/shop.sock\n' },
    [['shop', 'unix:/run/shop.sock:/', 'systemctl restart shop']],
  ],
  [
    'two units, and some that are no services',
    {
      'a.service': `[Service]\n${service}\nEnvironment=PORT=9001\n`,
      'b.service': `[Service]\n${service} --port=9002\n`,
      'migrate.service': `[Service]\nType=oneshot\n${service}\n`,
      'report.service': `[Service]\n${service}\n`,
      'report.timer': '[Timer]\n',
      'old/A.service': `[Service]\n${service}\n`,
      'worker@.service': `[Service]\n${service}\n`,
    },
    [
      ['a', 'http://127.0.0.1:9001/', 'systemctl restart a'],
      ['b', 'http://127.0.0.1:9002/', 'systemctl restart b'],
    ],
  ],
  ['nothing', {}, [['project', 'http://127.0.0.1:8080/', null]]],
];

describe('init', () => {
  it.each(kinds)('writes what measure reads, for a folder with %s', async (_, files, services) => {
    expect((await called(files)).code).toBe(0);
    const { entries } = await readServiceFile(budgetsPath, 'restart-proof.yaml');
    const read = entries.map((entry) => optionsOf(entry, {}, budgetsPath));
    const placeholder = expect.stringMatching(/^#/u) as string;
    expect(read.map(({ url, while: command }) => [url, command])).toEqual(
      services.map(([, url, command]) => [url, command ?? placeholder]),
    );
    expect(entries.map(({ name }) => name)).toEqual(services.map(([name]) => name));
    for (const [index, entry] of entries.entries()) {
      const check = checked(entry, {}, read[index] ?? {});
      if (services[index]?.[2] === null)
        await expect(check).rejects.toThrow(/restart-proof\.yaml:\d+:14: .* while has no command/u);
      else expect(await check).toMatchObject({ restarts: 10, ratePerSecond: 100, maxDropped: 0 });
    }
  });

  it('suggests lines that measure takes when they are taken in', async () => {
    await called({ 'shop.service': `[Service]\n${service}\n` });
    const text = await readFile(budgetsPath, 'utf8');
    await writeFile(
      budgetsPath,
      text
        .replaceAll(/^( +)# ([a-z-]+: )/gmu, '$1$2')
        .replace('url: http://127.0.0.1:8080/', 'url: http://127.0.0.1:8080'),
    );
    const [entry] = (await readServiceFile(budgetsPath, 'restart-proof.yaml')).entries;
    const { header, journal, accessLog, mustChange, requestList, ca, connections } =
      entry === undefined ? {} : optionsOf(entry, {}, budgetsPath);
    expect({ journal, mustChange, ca, connections }).toEqual({
      journal: ['shop'],
      mustChange: true,
      ca: 'test-ca.pem',
      connections: 'new',
    });
    expect([header?.length, requestList?.requests.length, accessLog?.length]).toEqual([2, 2, 1]);
  });

  it('says each guess with file and line, what it did not find, and what to do next', async () => {
    const { said } = await called({
      ...express,
      Makefile: 'deploy-all: build\n',
      'deploy.sh': '#!/bin/sh\n',
      'scripts/release-web.sh': 'x\n',
      'web/deploy.sh': 'of a part\n',
    });
    expect(said.replaceAll(/ {2,}/gu, ' | ').split('\n')).toEqual([
      ' | name | shop | package.json:2',
      ' | port | 3001 | server.js:2',
      ' | path | /health | server.js:1',
      ' | deploy | - | not found: no systemd unit, compose file or name for pm2',
      ' | start | npm start & | package.json:3',
      ' | CI | - | not found: no .github, remote at GitHub or .gitlab-ci.yml',
      ' | lab | node server.js | package.json:3',
      ' | maybe | ./deploy.sh | deploy.sh:1',
      ' | maybe | ./scripts/release-web.sh | scripts/release-web.sh:1',
      ' | maybe | make deploy-all | Makefile:1',
      'wrote: restart-proof.yaml',
      'wrote: service.yaml',
      expect.stringMatching(/^next: write the command that deploys into restart-proof.yaml:\d+, then$/u),
      expect.stringMatching(/^ \| cd \S+project && node \S+bin.mjs measure --budgets restart-proof.yaml$/u),
      'for the lab: npm ci --omit=dev, then check service.yaml, which is refused so far:',
      expect.stringMatching(/^ \| service\.yaml:\d+:\d+: files\.\d+: node_modules does not exist\.$/u),
      '',
    ]);
    expect((await readFile(budgetsPath, 'utf8')).split('\n')[Number(/yaml:(\d+)/u.exec(said)?.[1]) - 1]).toMatch(
      /^ +while: "#/u,
    );
    expect(await readFile(budgetsPath, 'utf8')).toContain(
      '# Found, and not taken, since it may deploy elsewhere: ./deploy.sh (deploy.sh:1).',
    );
  });

  it('leaves alone what is there, and exits with 2 when nothing is left to write', async () => {
    const mine = { 'restart-proof.yaml': '# mine\n', '.github/workflows/other.yml': '' };
    const first = await called(mine);
    expect(first.code).toBe(0);
    expect(first.said).toMatch(
      /left alone: restart-proof.yaml is there already\nwrote: service.yaml\nwrote: .github\/workflows\/restart-proof.yml/u,
    );
    expect(await called({})).toMatchObject({ code: 2 });
    expect(await readFile(budgetsPath, 'utf8')).toBe('# mine\n');
  });

  it('writes nothing with --dry-run', async () => {
    const { code, said } = await called({ '.gitlab-ci.yml': '' }, { dryRun: true });
    expect(code).toBe(0);
    expect(said).toMatch(/^# ---- restart-proof\.gitlab-ci\.yml$/mu);
    expect(await readdir(join(folder, 'project'))).toEqual(['.gitlab-ci.yml']);
  });

  it('refuses a folder that is not there', async () => {
    const error: unknown = await init.run(testContext(), join(folder, 'none'), {}).catch((thrown: unknown) => thrown);
    expect(errorText(error, { verbose: false })).toMatch(/none is no folder that can be read: .*\[folder-unusable\]/u);
  });

  it('writes files for GitHub and GitLab that start the service, wait for it and measure', async () => {
    const { said } = await called({
      ...express,
      '.gitlab-ci.yml': '',
      '.git/config': '[remote "origin"]\n\turl = git@github.com:acme/shop.git\n',
    });
    expect(said).toMatch(/^ {2}CI +GitHub, GitLab +\.git\/config:2, \.gitlab-ci\.yml$/mu);
    const read = async (path: string): Promise<unknown> => parse(await readFile(join(folder, 'project', path), 'utf8'));
    const wait = "curl -fsSk -o /dev/null --retry 60 --retry-delay 1 --retry-all-errors 'http://127.0.0.1:3001/health'";
    expect(await read('.github/workflows/restart-proof.yml')).toMatchObject({
      jobs: {
        measure: {
          steps: [
            { uses: 'actions/checkout@v6' },
            { run: `npm ci\nnpm start &\n${wait}\n` },
            { uses: 'OWNER/restart-proof/docs/ci/measure@REF', with: { budgets: 'restart-proof.yaml' } },
          ],
        },
      },
    });
    const measure = 'npx restart-proof measure --budgets restart-proof.yaml --junit junit.xml';
    const tarball = 'npm install --no-save ./restart-proof-0.1.0.tgz';
    expect(await read('restart-proof.gitlab-ci.yml')).toMatchObject({
      'restart-proof': { script: ['npm ci', tarball, 'npm start &', wait, measure] },
    });
  });

  it.each([
    ['web: gunicorn shop:app -b :$PORT', 'gunicorn shop:app -b :$PORT &'],
    ['web: shop "$(cat token)"', undefined],
    ['web: shop ${{ secrets.TOKEN }}', undefined],
  ])('takes a command of a Procfile as it is or not at all: %s', async (line, command) => {
    await called({ Procfile: `${line}\n`, 'requirements.txt': '', '.env': 'PORT=5005\n', '.gitlab-ci.yml': '' });
    const text = await readFile(join(folder, 'project/restart-proof.gitlab-ci.yml'), 'utf8');
    const { script } = (parse(text) as Record<string, { script: string[] }>)['restart-proof'] ?? { script: [] };
    const starting = script.slice(1, -2);
    if (command === undefined) expect(starting).toEqual([expect.stringMatching(/^echo .*; exit 1$/u)]);
    else expect(starting).toEqual(['export PORT=5005', 'pip install -r requirements.txt', command]);
  });

  it('waits for a Unix socket', async () => {
    await called({ 'shop.service': service, 'shop.socket': 'ListenStream=/run/shop.sock', '.gitlab-ci.yml': '' });
    expect(await readFile(join(folder, 'project/restart-proof.gitlab-ci.yml'), 'utf8')).toMatch(
      /curl .* --unix-socket \/run\/shop\.sock http:\/\/localhost\/$/mu,
    );
  });

  it('uses the package where package.json has it', async () => {
    const own = express['package.json'].replace(
      '"express"',
      '"restart-proof": "file:restart-proof-0.1.0.tgz", "express"',
    );
    await called({ ...express, 'package.json': own, '.github/x': '', '.gitlab-ci.yml': '' });
    const github = await readFile(join(folder, 'project/.github/workflows/restart-proof.yml'), 'utf8');
    expect([...github.matchAll(/run: (.*)/gu)].map(([, run]) => run)).toEqual([
      'npm ci',
      '|',
      expect.stringMatching(/^npx restart-proof measure/u),
    ]);
    expect(await readFile(join(folder, 'project/restart-proof.gitlab-ci.yml'), 'utf8')).not.toContain('tgz');
  });
});

describe('a hostile folder', () => {
  it('leads nowhere outside, waits for no pipe, and makes no command', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'PORT=6666\n');
    await written({
      'package.json': '{ "name": "x\\"; touch pwned; \\"" }\n',
      'a b$(touch pwned).service': `[Service]\n${service}\n`,
      "it's.service": `[Service]\n${service}\n`,
      'compose.yaml': `services:\n  "x; touch pwned": { build: . }\n  deep: &a ${'['.repeat(60)}\n`,
      'server.js': `listen(${'7'.repeat(300_000)})\n`,
      '.gitlab-ci.yml': '',
    });
    const project = join(folder, 'project');
    execFileSync('mkfifo', [join(project, 'Procfile')]);
    await symlink(join(outside, 'secret'), join(project, '.env'));
    await symlink('/dev/zero', join(project, 'Makefile'));
    await symlink(outside, join(project, '.github'));
    await symlink(join(outside, 'made'), join(project, 'restart-proof.yaml'));
    await symlink(project, join(project, 'loop'));
    const { code, said } = await called({});
    expect(code).toBe(0);
    expect(said).toContain('not read: .env: a link that leads out of the folder');
    expect(said).toContain('not read: Procfile: no plain file');
    expect(said).toContain('left alone: restart-proof.yaml is there already');
    expect(said).toContain(
      'left alone: .github/workflows/restart-proof.yml would lie in .github, which is a link or a file',
    );
    expect(said).not.toMatch(/6666|deploy +systemctl/u);
    expect(await readdir(outside)).toEqual(['secret']);
    expect(existsSync(join(project, 'pwned'))).toBe(false);
    expect(await readFile(join(project, 'restart-proof.gitlab-ci.yml'), 'utf8')).not.toContain('pwned');
  });

  it('makes files that are read, whatever stands in it', () => {
    // A dot in the middle stands for a space.
    const words =
      'web:· PORT= 80 "name":·" " \' :· ·#· -· { } [ ${{·secrets.A·}} $(touch·a) `a` *a &a !!x %YAML --- é module·x/ ' +
      'ExecStart= build:·. get("/healthz") deploy:· "start":·" listen( ·--port· pm2·start·--name· package·main';
    const spaced = words.split(' ').map((word) => word.replaceAll('·', ' '));
    const part = fc.constantFrom(...spaced, '\n', '\r', '\u{2028}', '\t', '\0', '\u{1b}[31m', 'services:\n  ');
    const plainNames =
      'package.json go.mod Procfile .env Makefile Dockerfile compose.yaml a.service main.go ecosystem.config.js pyproject.toml';
    const strangeNames = ['b c.service', 'x\n# y: z.service', "it's\u{1b}/server.js"];
    const name = fc.constantFrom(...plainNames.split(' '), ...strangeNames);
    const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
    const file = fc.record({ path: name, lines: text.map((all) => all.split(/\r?\n/u)) });
    const names = new Set(['.github', '.gitlab-ci.yml', 'requirements.txt']);
    const check = fc.property(text, fc.array(file, { maxLength: 6 }), (folderName, files) => {
      const read = {
        name: folderName,
        files,
        names: new Set([...names, ...files.map(({ path }) => path)]),
        unread: [],
      };
      const found = guess(read);
      // It may be told nothing but that it must be, or that the port is the proxy's.
      const described = serviceFile(guessRun(read, found), 'x')
        .text.replace(/^start: "#.*/mu, 'start: unknown')
        .replace(/:80 #/u, ':81 #');
      const service = parseBudgets(described, 'service.yaml', writtenServiceSchema).data;
      expect(`${service.start ?? ''} ${service.unit ?? ''} ${service.name}`).toMatch(/^[\w ./:=@,+{}-]*$/u);
      const { data } = parseBudgets(budgetsFile(found).text, 'restart-proof.yaml', serviceFileSchema);
      expect(data.services).toHaveLength(found.services.length);
      for (const { measure } of data.services) {
        expect(String(measure['while'])).toMatch(
          /^(?:#|systemctl restart [\w:.-]+$|(?:npx )?pm2 reload [\w.-]+$|docker compose up [\w. -]+$)/u,
        );
        expect(Object.keys(measure)).toEqual(['url', 'rate', 'while', 'restarts', 'every']);
      }
      const [github, gitlab] = ciFiles(found).map(
        (each) => parse(each.text) as Record<string, Record<string, { steps?: unknown[] }>>,
      );
      expect(github?.['jobs']?.['measure']?.steps).toHaveLength(3);
      expect(JSON.stringify([github, gitlab])).not.toMatch(/secrets|touch|`/u);
    });
    fc.assert(check, { numRuns: 300 });
  });
});

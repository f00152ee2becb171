/** The service.yaml that `init` begins: what is guessed for each kind of project, and that the lab's reader takes it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { emptiedFolder } from '../base/testing-folder.ts';
import type { OwnService } from '../experiment/own-service.ts';
import { readOwnService } from '../own-service/read-service.ts';
import { readFolder } from './folder.ts';
import { guess } from './guess.ts';
import { serviceFile } from './service-file.ts';
import { guessRun } from './service-guess.ts';

const folder = emptiedFolder();
type Files = Readonly<Record<string, string>>;

/** What `init` writes for these files. */
async function begun(files: Files): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { mode: 0o755 });
  }
  const read = await readFolder(folder);
  return serviceFile(guessRun(read, guess(read)), '../service.schema.json').text;
}

async function read(text: string): Promise<OwnService> {
  const path = join(folder, 'service.yaml');
  await writeFile(path, text);
  return (await readOwnService(path, { PGPASSWORD: 'x' })).service;
}

const go = {
  'go.mod': 'module example.com/acme/Shop_Web/v2\n',
  'cmd/shop/main.go': `package main
var addr = flag.String("addr", ":8081", "address")
func main() {
	mux.HandleFunc("GET /livez", live)
	mux.HandleFunc("GET /readyz", ready)
	mux.HandleFunc("GET /items", items)
	mux.HandleFunc("POST /baskets", add)
}
`,
};
const flask = { 'requirements.txt': 'gunicorn==23.0.0\nFlask>=3\nstripe\n', 'app.py': 'shop = Flask(__name__)\n' };
const unit = '[Service]\nWorkingDirectory=/srv/shop\nExecStart=/usr/bin/python3 /srv/shop/app.py --port 9000\n';

/** Files, the parts that are guessed of them, and what is made before they are read. */
const kinds: readonly (readonly [kind: string, files: Files, service: object, made: Files])[] = [
  [
    'Go with a flag for its address',
    go,
    {
      name: 'shop-web',
      files: [{ from: 'bin/shop-web', to: '/opt/shop-web/shop-web' }],
      start: '/opt/shop-web/shop-web -addr {public}',
      public: '127.0.0.1:18080',
      health: { live: '/livez', ready: '/readyz' },
      requests: [{ path: '/items' }],
    },
    { 'bin/shop-web': '' },
  ],
  [
    'Go with a port of its own',
    { 'go.mod': 'module shop\n', 'main.go': 'package main\nfunc main() { http.ListenAndServe(":8081", nil) }\n' },
    { start: '/opt/shop/shop', public: '127.0.0.1:8081', health: {}, environment: {} },
    { 'bin/shop': '' },
  ],
  [
    'Node',
    {
      'package.json':
        '{ "name": "@acme/shop",\n"scripts": { "start": "node --enable-source-maps server.js" },\n"dependencies": {} }\n',
      'server.js': "app.get('/health', x);\napp.listen(process.env.PORT || 3001)\n",
      'lib/a.js': '',
      'test/a.js': '',
      'README.md': '',
    },
    {
      files: ['lib', 'package.json', 'server.js', 'node_modules'].map((from) => ({ from, to: `/opt/shop/${from}` })),
      start: 'node --enable-source-maps server.js',
      environment: { PORT: '{publicPort}' },
      health: { live: '/health', ready: '/health' },
    },
    { 'node_modules/x': '' },
  ],
  [
    'Go that serves an inherited socket, with an internal port and a version',
    {
      'go.mod': 'module shop\n',
      'main.go':
        'package main\nflag.String("listen", ":8080")\nflag.Int("internal-port", 8081)\nos.Getenv("LISTEN_FDS")\nw.Header().Set("X-Shop-Version", os.Getenv("SHOP_VERSION"))\n',
    },
    {
      start: '/opt/shop/shop -listen {public} -internal-port {internalPort}',
      internal: '127.0.0.1:18081',
      listens: 'either',
      version: { header: 'X-Shop-Version' },
      release: { environment: { SHOP_VERSION: '{version}' } },
    },
    { 'bin/shop': '' },
  ],
  [
    'Node without a script that starts it',
    { 'package.json': '{ "name": "shop" }\n', 'index.mjs': 'createServer(x).listen(8089)\n' },
    { start: 'node index.mjs', files: [{ from: 'index.mjs' }, { from: 'package.json' }], public: '127.0.0.1:8089' },
    {},
  ],
  [
    'Python with the package.json of npm init',
    { ...flask, 'package.json': '{ "name": "shop",\n"main": "index.js" }\n' },
    {
      start: expect.stringMatching(/^\/usr\/bin\/gunicorn /u) as string,
      packages: ['python3', 'gunicorn', 'python3-flask'],
    },
    {},
  ],
  [
    'Node with a program of a package',
    { 'package.json': '{ "name": "shop",\n"scripts": { "start": "next start -p 3005" } }\n' },
    { start: '/opt/shop/node_modules/.bin/next start -p 3005', public: '127.0.0.1:3005' },
    { 'node_modules/.bin/next': '#!/usr/bin/env node\n' },
  ],
  [
    'Python with a Procfile',
    { ...flask, Procfile: 'web: gunicorn --bind 0.0.0.0:$PORT -w 4 app:shop\n', 'go.sum': '' },
    {
      files: [{ from: 'app.py' }],
      packages: ['python3', 'gunicorn', 'python3-flask'],
      start: expect.stringMatching(
        /^\/usr\/bin\/gunicorn --chdir \/opt\/\S+ --bind \{public\} -w 4 app:shop$/u,
      ) as string,
      public: '127.0.0.1:18080',
    },
    {},
  ],
  [
    'Python with an application alone',
    { 'pyproject.toml': '[project]\nname = "shop"\ndependencies = ["fastapi>=0.1"]\n', 'main.py': 'app = FastAPI()\n' },
    {
      packages: ['python3', 'uvicorn', 'python3-fastapi'],
      start: '/usr/bin/uvicorn --app-dir /opt/shop --host 127.0.0.1 --port {publicPort} main:app',
    },
    {},
  ],
  [
    'a Dockerfile',
    { Dockerfile: 'EXPOSE 8088\nCMD ["/shop", "--listen", ":8088"]\n' },
    { image: expect.any(String) as string, start: '/shop --listen :8088', public: '127.0.0.1:8088' },
    {},
  ],
  [
    'a unit and its socket',
    {
      ...flask,
      'deploy/shop.service': unit,
      'deploy/shop.socket': '[Socket]\nListenStream=127.0.0.1:9000\n',
    },
    {
      files: [{ from: 'app.py', to: '/srv/shop/app.py' }],
      packages: ['python3', 'gunicorn', 'python3-flask'],
      unit: 'deploy/shop.service',
      socket: 'deploy/shop.socket',
      listens: 'either',
      public: '127.0.0.1:9000',
      environment: {},
    },
    {},
  ],
  [
    'a unit that starts a Go program',
    { ...go, 'shop.service': '[Service]\nExecStart=/usr/local/bin/shop --addr :8081\n' },
    { files: [{ from: 'bin/shop', to: '/usr/local/bin/shop' }], unit: 'shop.service', public: '127.0.0.1:8081' },
    { 'bin/shop': '' },
  ],
];

it.each(kinds)('of %s', async (_, files, service, made) => {
  const text = await begun(files);
  await begun(made);
  expect(await read(text)).toMatchObject(service);
});

it.each([
  ['nothing', {}],
  ['a start that takes a shell', { 'package.json': '{ "name": "shop",\n"scripts": { "start": "tsc && node a" } }\n' }],
  ['a program inside of an image', { Dockerfile: 'CMD node server.js\n' }],
])('of %s leaves the command to the user, and is refused until then', async (_, files) => {
  await expect(read(await begun(files))).rejects.toThrow(
    /service\.yaml:\d+:8: start: is only a comment: write the command/u,
  );
});

it('names what it could not find, and what must be made', async () => {
  const text = await begun({ ...go, ...flask, 'shop.service': unit });
  expect(text).toContain('# Needed, too, and not known as Debian packages: stripe.');
  expect(await begun({ 'shop.service': '[Service]\nExecStart=/opt/shop/shop\n' })).toContain(
    'Make it first: CGO_ENABLED=0 GOOS=linux go build -o bin/shop ./cmd/shop\n',
  );
});

it('suggests lines that are taken when they are taken in', async () => {
  const text = (await begun(flask)).replaceAll(/^(\s*)# (?=[a-z]+: |- \{)/gmu, '$1').replace('files: [shop]', '');
  expect(await read(text)).toMatchObject({
    internal: '127.0.0.1:18081',
    health: { live: '/livez' },
    version: { header: 'X-App-Version' },
    release: { environment: { APP_VERSION: '{version}' } },
    writes: { requests: ['order'] },
    containers: [{ name: 'database' }],
  });
});

/**
 * `measure --access-log` beside real servers, as far as they are installed here: their upstream is killed, they themselves are
 * reloaded, and their logs are rotated under load. What a verdict says of each drop is held against the raw log.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { execa, execaSync } from 'execa';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { labImageTag } from '../lab/image.ts';
import { openRunDatabase } from '../verdict/evidence.ts';
import { measuring } from './testing-measure.ts';

const { at, folder, measured } = measuring();

const [appPort, port] = [19_031, 19_032];
const children: ChildProcess[] = [];

/** It writes down what it has read, before it answers 20 ms later, or 400. */
const app = at('app.mjs');
writeFileSync(
  app,
  `import { createServer } from 'node:http';
   import { appendFileSync, writeFileSync } from 'node:fs';
   createServer((request, response) => {
     if (request.headers['x-request-id']) appendFileSync('${at('processed')}', request.headers['x-request-id'] + '\\n');
     setTimeout(() => response.end('ok'), request.url === '/slow' ? 400 : 20);
   }).listen(${appPort}, '127.0.0.1', () => writeFileSync('${at('app.pid')}', String(process.pid)));`,
);

interface Server {
  readonly program: string;
  readonly format: string;
  readonly files: Readonly<Record<string, string>>;
  /** For sh, in the folder; it stays in the foreground. */
  readonly start: string;
  /** Takes a new log in use, and restarts what can be restarted, under load. */
  readonly reload: string;
  readonly rotation: 'replaced' | 'emptied' | 'none';
  readonly before?: () => void;
}

const nginxOf = (format: string, words: string): Server => ({
  program: 'nginx',
  format,
  files: {
    'nginx.conf': `daemon off; pid ${at('nginx.pid')}; error_log ${at('error.log')}; events {}
      http { log_format asked ${words}; access_log ${at('access.log')} asked;
        server { listen 127.0.0.1:${port};
          location / { proxy_pass http://127.0.0.1:${appPort}; proxy_set_header X-Request-Id $http_x_request_id; } } }`,
  },
  start: `exec nginx -c ${at('nginx.conf')}`,
  reload: 'mv access.log access.log.1; kill -USR1 $(cat nginx.pid); sleep 0.3; kill -HUP $(cat nginx.pid)',
  rotation: 'replaced',
});

const servers: Readonly<Record<string, Server>> = {
  'nginx, combined with an id': nginxOf(
    'combined (nginx, Apache)',
    `'$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "-" "-" $http_x_request_id us="$upstream_status" ua="$upstream_addr"'`,
  ),
  'nginx, JSON': nginxOf(
    'JSON (nginx and others)',
    `escape=json '{"msec":"$msec","request_id":"$http_x_request_id","request":"$request","status":"$status"}'`,
  ),
  haproxy: {
    program: 'haproxy',
    format: 'HAProxy, httplog',
    files: {
      'haproxy.cfg': `global
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  retries 0
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:${port}
  capture request header X-Request-Id len 64
  default_backend shop
backend shop
  server one 127.0.0.1:${appPort}
`,
    },
    start: 'exec haproxy -W -p haproxy.pid -f haproxy.cfg >> access.log',
    reload: 'cp access.log access.log.1; : > access.log; sleep 0.3; kill -USR2 $(cat haproxy.pid | head -n 1)',
    rotation: 'emptied',
  },
  apache: {
    program: 'apache2',
    format: 'combined (nginx, Apache)',
    files: {
      'apache.conf': `ServerRoot /etc/apache2
PidFile ${at('apache.pid')}
Listen 127.0.0.1:${port}
ServerName localhost
${['mpm_event', 'authz_core', 'proxy', 'proxy_http'].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
ErrorLog ${at('error.log')}
LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"-\\" \\"-\\" %{X-Request-Id}i" asked
CustomLog ${at('access.log')} asked
ProxyPass / http://127.0.0.1:${appPort}/ retry=0
User www-data
Group www-data
`,
    },
    start: `exec apache2 -f ${at('apache.conf')} -DFOREGROUND`,
    reload: 'mv access.log access.log.1; kill -USR1 $(cat apache.pid)',
    rotation: 'replaced',
  },
  caddy: {
    program: 'caddy',
    format: 'Caddy, JSON',
    files: {
      Caddyfile: `{
  admin 127.0.0.1:19033
  auto_https off
}
http://127.0.0.1:${port} {
  log {
    output file ${at('access.log')}
  }
  reverse_proxy 127.0.0.1:${appPort}
}
`,
    },
    start: 'exec caddy run --config Caddyfile 2> error.log',
    reload: 'caddy reload --force --config Caddyfile --address 127.0.0.1:19033 2> reload.log',
    rotation: 'none',
  },
  traefik: {
    program: 'docker',
    format: 'Traefik, JSON',
    files: {
      'traefik.yml': `entryPoints: { web: { address: "127.0.0.1:${port}" } }
accessLog: { filePath: ${at('access.log')}, format: json, fields: { headers: { names: { X-Request-Id: keep } } } }
providers: { file: { filename: ${at('dynamic.yml')} } }
global: { checkNewVersion: false, sendAnonymousUsage: false }
`,
      'dynamic.yml': `http:
  routers: { shop: { rule: "PathPrefix(\`/\`)", service: shop } }
  services: { shop: { loadBalancer: { servers: [ { url: "http://127.0.0.1:${appPort}" } ] } } }
`,
    },
    before: () => {
      const image = labImageTag(process.arch === 'arm64' ? 'arm64' : 'amd64');
      const { stdout: id } = execaSync('docker', ['create', image, 'true']);
      execaSync('docker', ['cp', `${id}:/usr/local/bin/traefik`, at('traefik')]);
      execaSync('docker', ['rm', id]);
    },
    start: 'echo $$ > traefik.pid; exec ./traefik --configFile=traefik.yml',
    reload: 'mv access.log access.log.1; kill -USR1 $(cat traefik.pid)',
    rotation: 'replaced',
  },
};

// Apache's workers are another user's.
beforeAll(() => chmodSync(folder, 0o777));
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  if (existsSync(at('app.pid'))) process.kill(Number(readFileSync(at('app.pid'), 'utf8')), 'SIGKILL');
});

const isInstalled = (program: string): boolean =>
  execaSync('sh', ['-c', `command -v ${program}`], { reject: false }).exitCode === 0;

const startApp = `setsid ${process.execPath} ${app} > /dev/null 2>&1 &`;

async function begin({ files, start, before }: Server): Promise<void> {
  before?.();
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
  for (const name of ['access.log', 'access.log.1', 'processed']) writeFileSync(at(name), '');
  await execa('sh', ['-c', startApp]);
  children.push(spawn('sh', ['-c', start], { cwd: folder, stdio: 'ignore' }));
  await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200), 20_000);
}

/** Every request is an order. */
const orders = { method: 'POST', body: 'x', accessLog: [at('access.log')] };

/** The status that the raw log has behind each id; the last, where there are several. */
function statusesInLog(): Map<string, number> {
  const text = readFileSync(at('access.log.1'), 'utf8') + readFileSync(at('access.log'), 'utf8');
  return new Map(
    text.split('\n').flatMap((line) => {
      const id = /\d{8}T\d{6}Z-[0-9a-f]{4}-1-\d+/u.exec(line)?.[0];
      const status = /"(?:status|DownstreamStatus)":"?(\d+)|HTTP\/1\.1" (\d+)|\/\d+ (-?\d+) \d+ - -/u.exec(line);
      return id === undefined || status === null
        ? []
        : [[id, Number(status.slice(1).find((one): one is string => Boolean(one)))]];
    }),
  );
}

describe.each(Object.entries(servers))('the log of %s', (_, server) => {
  it.skipIf(!isInstalled(server.program))('says of each drop what stands in it, across its rotation', async () => {
    await begin(server);
    const kill = `cd ${folder}; kill -KILL $(cat app.pid); sleep 0.2; ${startApp} sleep 0.5`;
    const url = `http://127.0.0.1:${port}/orders?a=1`;
    const { verdict, file } = await measured({ ...orders, url, settle: '1s', while: `${kill}; ${server.reload}` });
    expect(verdict.dropped).toBeGreaterThan(15);
    const [log] = verdict.serverLog?.logs ?? [];
    expect(log).toMatchObject({ formats: [server.format], joined: 'id', twice: 0, differing: 0 });
    // HAProxy tells of itself, too.
    expect(log?.notUnderstood).toBeLessThan(server.program === 'haproxy' ? 10 : 1);
    expect(log?.missing).toBe(0);
    expect(verdict.notes.join().includes('was replaced 1 time ')).toBe(server.rotation === 'replaced');
    const statuses = statusesInLog();
    const processed = new Set(readFileSync(at('processed'), 'utf8').split('\n'));
    const { database } = await openRunDatabase(file(''));
    const fates = await database.all<{ requestId: string; what: string; isProcessed: boolean }>(
      'select requestId, what, isProcessed from server_fates join ledger using (line)',
    );
    await database.close();
    expect(fates).toHaveLength(verdict.dropped);
    for (const { requestId, what, isProcessed } of fates) {
      const status = statuses.get(requestId);
      expect([requestId, what]).toEqual([
        requestId,
        status === undefined
          ? expect.stringMatching(/^no|^never/u)
          : expect.stringContaining(status > 0 ? `answered ${status}` : 'had it'),
      ]);
      // Nothing is called processed that the application itself has not read.
      if (isProcessed) expect(processed).toContain(requestId);
    }
    // As the client saw it, each was answered by the proxy.
    expect(verdict.unexplained).toBe(fates.filter(({ what }) => /^no|^never/u.test(what)).length);
  });

  it.skipIf(!isInstalled(server.program))(
    'says of a client that gave up whether it was answered all the same',
    async () => {
      await begin(server);
      const slow = { url: `http://127.0.0.1:${port}/slow`, rate: 20, duration: '1s', timeout: '150ms' };
      const { verdict } = await measured({ ...orders, ...slow });
      expect(verdict.outcomes).toEqual({ timeout: 20 });
      // HAProxy and Apache wait for their upstream, whoever has gone.
      const isAnswered = server.program === 'haproxy' || server.program === 'apache2';
      const [told = ''] = Object.keys(verdict.serverLog?.logs[0]?.drops ?? {});
      expect(told).toMatch(isAnswered ? /^answered 200, too late for the client$/u : /^had it, and gave no answer/u);
      expect(verdict.serverLog?.logs[0]?.drops).toEqual({ [told]: 20 });
      expect(verdict.serverLog?.processedWrites).toEqual({ certain: isAnswered ? 20 : 0, likely: 0 });
    },
  );
});

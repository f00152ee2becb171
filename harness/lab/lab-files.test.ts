import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import e1 from '../../experiments/E1-no-drain.ts';
import e17 from '../../experiments/E17-proxy.ts';
import e4 from '../../experiments/E4-drain-and-retry.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import e6 from '../../experiments/E6-blue-green.ts';
import e8 from '../../experiments/E8-one-socket.ts';
import type { ExperimentFile } from '../experiment/experiment.ts';
import { resolveExperiment, type Change } from '../experiment/fields.ts';
import { packagesIn } from './engine/build-image.ts';
import type { LabFile } from './engine/files.ts';
import { dockerfilePath } from './image.ts';
import { parseCounters } from './kernel-counters.ts';
import { filesOfServer } from './lab.ts';
import { dynamicFile } from './proxy-config.ts';
import { filesOfUpgrade, reloadTexts } from './proxy-unit.ts';
import { experimentFiles } from './unit-files.ts';

const units = '/etc/systemd/system';

/** Path and text of each file; of a link, where it points. */
function textsOf(files: readonly LabFile[]): ReadonlyMap<string, string> {
  return new Map(files.map((file) => [file.path, 'linkTo' in file ? `-> ${file.linkTo}` : String(file.content)]));
}

/** What an experiment puts on the server. */
async function onServer(
  file: ExperimentFile,
  { changes = [], variant }: { changes?: readonly Change[]; variant?: string } = {},
): Promise<ReadonlyMap<string, string>> {
  return textsOf(await filesOfServer(resolveExperiment(file, { variant, changes })));
}

const base = readFileSync(new URL('../../containers/edge/etc/traefik/dynamic/site.yml', import.meta.url), 'utf8');

describe('what an experiment changes on the server', () => {
  it('is an env file and a drop-in that reads it', () => {
    const files = textsOf(experimentFiles(e1));
    expect(files.get('/etc/site/demo.experiment.env')?.split('\n')).toEqual(
      expect.arrayContaining(['APP_DRAIN=naive', 'APP_WARM_UP=300ms', 'APP_SHUTDOWN_GRACE_PERIOD=50ms']),
    );
    expect(files.get(`${units}/site@demo.service.d/50-experiment.conf`)).toContain(
      'EnvironmentFile=/etc/site/demo.experiment.env\nTimeoutStopSec=20\nKillMode=mixed\nRestart=on-failure\n',
    );
    expect(files.size).toBe(2);
  });

  it('sets the socket’s queue where there is a socket', () => {
    const files = textsOf(experimentFiles(e5));
    expect(files.get(`${units}/site@demo.socket.d/50-experiment.conf`)).toContain('[Socket]\nBacklog=4096\n');
  });
});

describe('the proxy as a unit', () => {
  it('is started at boot from its own file, with the proxy’s settings and how it leaves', async () => {
    const files = await onServer(e17, { variant: 'accept-grace' });
    expect(files.get(`${units}/multi-user.target.wants/traefik.service`)).toBe(`-> ${units}/traefik.service`);
    expect(files.get(`${units}/traefik.service`)).toContain('\nExecStart=/usr/local/bin/traefik\n');
    expect(files.has('/etc/traefik/dynamic/site.yml')).toBe(true);
    expect(parse(files.get('/etc/traefik/traefik.yml') ?? '')).toMatchObject({
      entryPoints: {
        web: {
          address: ':80',
          transport: { lifeCycle: { graceTimeOut: '10000ms', requestAcceptGraceTimeout: '500ms' } },
        },
      },
    });
  });

  it('owns its port, unless a socket unit does that names it as the entry point is named', async () => {
    const socket = `${units}/sockets.target.wants/traefik.socket`;
    expect((await onServer(e17)).has(socket)).toBe(false);
    const files = await onServer(e17, { variant: 'socket' });
    expect(files.get(socket)).toBe(`-> ${units}/traefik.socket`);
    expect(files.get(`${units}/traefik.socket`)).toContain('\nFileDescriptorName=web\n');
  });

  it('is no unit in any other experiment, and brings no other version unless it is upgraded', async () => {
    const paths = [...(await onServer(e1)).keys()];
    expect(paths.filter((path) => path.includes('traefik'))).toEqual([]);
    expect(await filesOfUpgrade(e17, 'amd64')).toEqual([]);
  });

  it('is reloaded with two files that route alike, of which one has a mark', () => {
    const [one, other] = reloadTexts(base).map((text) => parse(text) as { http: Record<string, unknown> });
    expect(other?.http['middlewares']).toHaveProperty('reload-mark');
    delete other?.http['middlewares'];
    expect(other).toEqual(one);
  });
});

describe('two colours of one socket', () => {
  const fileAt = async (path: string, leftOut?: 'holder' | 'sockets' | 'no-start-limit'): Promise<string | undefined> =>
    textsOf(await filesOfServer({ ...e8, unit: { ...e8.unit, ...(leftOut && { leftOut }) } })).get(path);
  const holder = `${units}/site@demo.socket.d/20-holder.conf`;
  const startLimit = `${units}/site@.service.d/30-no-start-limit.conf`;
  const wanted = (unit: string): string => `${units}/multi-user.target.wants/${unit}`;

  it('have a socket that triggers the holder, and the boot starts that and the first colour', async () => {
    expect(await fileAt(holder)).toContain('\nService=site-holder@demo.service\n');
    expect(await fileAt(wanted('site-holder@demo.service'))).toBe(`-> ${units}/site-holder@.service`);
    expect(await fileAt(wanted('site@demo.service'))).toBe(`-> ${units}/site@.service`);
    const paths = (await filesOfServer(e8)).map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(await fileAt(wanted('site@demo-green.service'))).toBeUndefined();
  });

  it.each(['demo', 'demo-green'])('inherit it, %s as the other', async (colour) => {
    expect(await fileAt(`${units}/site@${colour}.service.d/20-socket.conf`)).toContain('\nSockets=site@demo.socket\n');
    expect(await fileAt(startLimit)).toContain('\nStartLimitIntervalSec=0\n');
    expect(await fileAt(`/etc/site/${colour}.env`)).toContain('APP_LISTEN_ADDR=127.0.0.1:18080\n');
  });

  it('are left without one thing in each ablation', async () => {
    expect(await fileAt(holder, 'holder')).toBeUndefined();
    expect(await fileAt(wanted('site-holder@demo.service'), 'holder')).toBeUndefined();
    expect(await fileAt(`${units}/site@demo-green.service.d/20-socket.conf`, 'sockets')).toBeUndefined();
    expect(await fileAt(`${units}/site@demo.service.d/20-socket.conf`, 'sockets')).toBeDefined();
    expect(await fileAt(startLimit, 'no-start-limit')).toBeUndefined();
  });

  it('are one backend to the proxy', () => {
    expect(dynamicFile(base, e8)).toBe(base);
  });
});

describe('the files of a further site', () => {
  it('are those of the first with its own name, ports and database, and are enabled at boot', async () => {
    const changes: Change[] = [
      ['sites.count', 3],
      ['unit.activation', 'both'],
    ];
    const files = await onServer(e5, { changes });
    const env = files.get('/etc/site/demo3.env') ?? '';
    expect(env).toContain('APP_LISTEN_ADDR=127.0.0.1:18082\nAPP_INTERNAL_LISTEN_ADDR=127.0.0.1:19082\n');
    expect(env).toContain('APP_DATABASE=/var/lib/site/demo3/site.db\n');
    expect(env).not.toMatch(/demo\b/u);
    expect(files.get(`${units}/site@demo3.socket.d/10-listen.conf`)).toContain('ListenStream=127.0.0.1:18082\n');
    expect(files.get(`${units}/site-internal@demo3.socket.d/10-listen.conf`)).toContain(
      'ListenStream=127.0.0.1:19082\n',
    );
    expect(files.get(`${units}/site@demo3.service.d/50-experiment.conf`)).toContain(
      'EnvironmentFile=/etc/site/demo3.experiment.env\n',
    );
    expect(files.get('/etc/site/demo3.experiment.env')).toContain('APP_DRAIN=polite\n');
    for (const [target, unit, template] of [
      ['multi-user', 'site@demo3.service', 'site@.service'],
      ['sockets', 'site@demo3.socket', 'site@.socket'],
      ['sockets', 'site-internal@demo3.socket', 'site-internal@.socket'],
    ] as const) {
      expect(files.get(`${units}/${target}.target.wants/${unit}`)).toBe(`-> ${units}/${template}`);
    }
    expect([...files.keys()].filter((path) => path.includes('demo4'))).toEqual([]);
  });

  it('of two colours of one socket have a holder and a socket of their own', async () => {
    const files = await onServer(e8, { changes: [['sites.count', 2]] });
    expect(files.get(`${units}/site@demo2.socket.d/20-holder.conf`)).toContain('\nService=site-holder@demo2.service\n');
    expect(files.get(`${units}/multi-user.target.wants/site-holder@demo2.service`)).toBe(
      `-> ${units}/site-holder@.service`,
    );
    expect(files.get(`${units}/site@demo2-green.service.d/20-socket.conf`)).toContain('\nSockets=site@demo2.socket\n');
    const green = files.get('/etc/site/demo2-green.env') ?? '';
    expect(green).toContain('APP_LISTEN_ADDR=127.0.0.1:18081\nAPP_INTERNAL_LISTEN_ADDR=127.0.0.1:19181\n');
    expect(green).toContain('APP_DATABASE=/var/lib/site/demo2/site.db\n');
    // The idle colour is not started at boot.
    expect(files.has(`${units}/multi-user.target.wants/site@demo2-green.service`)).toBe(false);
  });

  it('leave those of the first as they are with one site', async () => {
    const [one, three] = await Promise.all([onServer(e5), onServer(e5, { changes: [['sites.count', 3]] })]);
    expect([...one].filter(([path, text]) => three.get(path) !== text)).toEqual([]);
  });
});

describe('the proxy’s dynamic file of three sites', () => {
  const of = (file: ExperimentFile, ...changes: Change[]): unknown =>
    (
      parse(dynamicFile(base, resolveExperiment(file, { changes: [['sites.count', 3], ...changes] }))) as {
        http: unknown;
      }
    ).http;
  const server = (port: number) => ({ servers: [{ url: `http://127.0.0.1:${port}` }] });
  const route = (name: string) => ({ entryPoints: ['web'], rule: `Host(\`${name}.test\`)`, service: name });

  it('routes each host to its own port', () => {
    expect(of(e1)).toEqual({
      routers: { demo: route('demo'), demo2: route('demo2'), demo3: route('demo3') },
      services: {
        demo: { loadBalancer: server(18_080) },
        demo2: { loadBalancer: server(18_081) },
        demo3: { loadBalancer: server(18_082) },
      },
    });
  });

  it('has retry and check for each, on its own internal port', () => {
    const http = of(e4) as Record<'routers' | 'services', Record<string, unknown>>;
    for (const [name, port] of [
      ['demo', 19_080],
      ['demo2', 19_081],
      ['demo3', 19_082],
    ] as const) {
      expect(http.routers[name]).toMatchObject({ middlewares: ['retry'] });
      expect(http.services[name]).toMatchObject({ loadBalancer: { healthCheck: { port } } });
    }
  });

  it('has one backend for each that has two colours of one socket, and two for each that has two ports', () => {
    expect(of(e8)).toMatchObject({ services: { demo3: { loadBalancer: server(18_082) } } });
    expect(Object.keys((of(e8) as { services: object }).services)).toEqual(['demo', 'demo2', 'demo3']);
    expect(of(e6)).toMatchObject({
      services: {
        blue: { loadBalancer: server(18_080) },
        'demo3-blue': { loadBalancer: server(18_082) },
        'demo3-green': { loadBalancer: server(18_182) },
        demo3: { weighted: { services: [{ name: 'demo3-blue' }, { name: 'demo3-green' }] } },
      },
    });
  });
});

describe('the proxy’s dynamic file', () => {
  it('stays as it is, comments included, when nothing is asked', () => {
    expect(dynamicFile(base, e1)).toBe(base);
  });

  it('gets the retry and the check that the experiment names', () => {
    const changed = parse(
      dynamicFile(base, {
        ...e1,
        proxy: {
          ...e1.proxy,
          retry: { attempts: 4, initialIntervalMs: 250 },
          check: { path: '/healthz', port: 'internal', intervalMs: 1_000, timeoutMs: 1_000 },
        },
      }),
    ) as { http: Record<string, unknown> };
    expect(changed.http).toMatchObject({
      routers: { demo: { middlewares: ['retry'] } },
      middlewares: { retry: { retry: { attempts: 4, initialInterval: '250ms' } } },
      services: {
        demo: {
          loadBalancer: { healthCheck: { path: '/healthz', port: 19_080, interval: '1000ms', timeout: '1000ms' } },
        },
      },
    });
  });
});

describe('the kernel’s counters', () => {
  it('are read by name from pairs of lines', () => {
    const text = 'Tcp: RtoMin OutRsts\nTcp: 200 7\nTcpExt: ListenOverflows ListenDrops\nTcpExt: 3 4\n';
    expect(parseCounters(text)).toEqual({ 'Tcp.OutRsts': 7, 'TcpExt.ListenOverflows': 3, 'TcpExt.ListenDrops': 4 });
  });
});

describe('the image’s packages', () => {
  it('are read from its Dockerfile', () => {
    const packages = packagesIn(readFileSync(dockerfilePath, 'utf8'));
    expect(packages).toEqual(expect.arrayContaining(['systemd', 'dbus', 'libstdc++6', 'ca-certificates']));
    for (const name of packages) expect(name).toMatch(/^[a-z0-9][a-z0-9.+-]+$/u);
  });
});

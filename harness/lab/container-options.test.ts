import { describe, expect, it } from 'vitest';
import {
  clientOptions,
  controlOptions,
  edgeOptions,
  lockHostConfig,
  networkOptions,
  serverOptions,
} from './container-options.ts';
import { securityOf, type EngineFacts } from './engine/engine.ts';

const facts: EngineFacts = {
  version: '28.0.0',
  apiVersion: '1.48',
  architecture: 'amd64',
  kernel: '6.12',
  cgroupVersion: '2',
  cgroupDriver: 'systemd',
  storageDriver: 'overlay2',
  operatingSystem: 'Debian',
  cpus: 2,
  hasRunc: true,
  security: securityOf(['name=seccomp,profile=builtin', 'name=cgroupns'], '1.48'),
};

function allOf(engine: EngineFacts, connections = 1_000) {
  return [
    serverOptions(engine, { networkId: 'net', proxyFiles: ['files:/etc/traefik/dynamic'], connections }),
    edgeOptions(engine, { serverId: 'server', proxyFiles: [], connections }),
    clientOptions(engine, { networkId: 'net', connections }),
    controlOptions(engine, { serverId: 'server' }),
  ].map(({ HostConfig }) => HostConfig ?? {});
}

/** What the server's container is made with. */
function server(change: Partial<EngineFacts>) {
  return allOf({ ...facts, ...change })[0] ?? {};
}

describe('every container of the lab', () => {
  it.each(['server', 'edge', 'client', 'control'].map((role, index) => [role, index] as const))(
    'takes no default of daemon.json that a result may depend on: %s',
    (_, index) => {
      expect(allOf(facts)[index]).toMatchObject({
        Init: false,
        UsernsMode: 'host',
        IpcMode: 'private',
        Runtime: 'runc',
        RestartPolicy: { Name: 'no' },
        LogConfig: { Type: 'json-file', Config: { 'max-file': '1', mode: 'blocking' } },
      });
      const limits = allOf(facts)[index]?.Ulimits?.map(({ Name }) => Name);
      expect(limits).toEqual(['nofile', 'nproc', 'fsize', 'cpu', 'data']);
    },
  );

  it('asks no resolver of the host, which would carry names out of the lab', () => {
    // The proxy is in the server's network namespace, and has its resolver.
    const [ofServer, , ofClient] = allOf(facts);
    expect([ofServer?.Dns, ofClient?.Dns]).toEqual([['192.0.2.53'], ['192.0.2.53']]);
  });

  it('has no right that it does not name, gains none, and has an end to its memory and processes', () => {
    for (const config of [...allOf(facts), lockHostConfig]) {
      expect(config.CapDrop).toEqual(['ALL']);
      expect(config.CapAdd ?? []).not.toContain('SYS_ADMIN');
      expect(config.SecurityOpt).toContain('no-new-privileges');
      expect(config.SecurityOpt).not.toContain('seccomp=unconfined');
      expect(config.Memory).toBeGreaterThan(0);
      expect(config.PidsLimit).toBeGreaterThan(0);
      expect(config).not.toHaveProperty('Privileged');
    }
  });

  it('may open a file for each connection; beyond the usual, as many as the engine grants', () => {
    // The proxy has two for each: 2 × 7 680 + 1 024 = 16 384.
    const files = (connections: number) =>
      allOf(facts, connections).map(({ Ulimits }) => Ulimits?.find(({ Name }) => Name === 'nofile')?.Hard);
    expect(files(7_680)).toEqual([16_384, 16_384, 16_384, 16_384]);
    expect(files(7_681)).toEqual([16_384, undefined, 16_384, 16_384]);
  });

  it('may what sshd needs only where releases come by ssh', () => {
    const capabilities = (release: boolean): unknown =>
      serverOptions(facts, { networkId: 'net', proxyFiles: [], connections: 1_000, release }).HostConfig?.CapAdd;
    const usual = capabilities(false) as string[];
    expect(capabilities(true)).toEqual([...usual, 'SYS_CHROOT', 'AUDIT_WRITE']);
    expect(usual).not.toContain('SYS_CHROOT');
  });

  it('leaves the runtime to an engine that has none of that name', () => {
    expect(server({ hasRunc: false })).not.toHaveProperty('Runtime');
  });
});

describe('the server’s part of the cgroup tree', () => {
  it.each([
    ['2', 'systemd', 'restartproof.slice', '/sys/fs/cgroup'],
    ['2', 'cgroupfs', 'restart-proof', '/sys/fs/cgroup'],
    ['1', 'systemd', 'restartproof.slice', '/sys/fs/cgroup/systemd'],
    ['1', 'cgroupfs', 'restart-proof', '/sys/fs/cgroup/systemd'],
  ])('is its own: v%s, driver %s', (cgroupVersion, cgroupDriver, cage, tree) => {
    const { Binds, CgroupParent } = server({ cgroupVersion, cgroupDriver });
    // systemd takes the name of a slice; the other driver a path, from the root on.
    expect(CgroupParent).toBe(cgroupDriver === 'systemd' ? cage : `/${cage}`);
    expect(Binds).toEqual([
      `${tree}/${cage}:${tree}:rw`,
      `${tree}/${cage}:${tree}/${cage}:rw`,
      'files:/etc/traefik/dynamic',
    ]);
  });
});

describe('what an engine confines containers with', () => {
  it('is left on, but for what forbids systemd or D-Bus', () => {
    const options = (said: string[], api = '1.41') =>
      server({ security: securityOf(said, api) }).SecurityOpt as string[];
    expect(options(['name=seccomp,profile=default'])).toEqual(['no-new-privileges']);
    expect(options(['name=apparmor', 'name=seccomp,profile=default'])).toContain('apparmor=unconfined');
    expect(options(['name=selinux'])).toContain('label=disable');
    expect(options(['name=seccomp,profile=/etc/docker/strict.json'])).toContain('seccomp=unconfined');
    expect(options(['name=seccomp,profile=/etc/docker/strict.json'], '1.42')).toContain('seccomp=builtin');
  });

  it('is told by /info', () => {
    expect(securityOf(['name=userns', 'name=rootless', 'name=selinux,x=y'], '1.41')).toEqual({
      apparmor: false,
      selinux: true,
      rootless: true,
      remapped: true,
      seccomp: 'none',
    });
  });
});

describe('the lab’s network', () => {
  it('has no way out and no address of the engine’s host, whatever daemon.json says of new networks', () => {
    expect(networkOptions('net', {})).toMatchObject({
      Internal: true,
      EnableIPv6: false,
      Options: {
        'com.docker.network.bridge.inhibit_ipv4': 'true',
        'com.docker.network.bridge.enable_icc': 'true',
      },
    });
  });
});

/**
 * How the lab's network and containers are made. Whatever a daemon.json may set as a default and a result may depend on is
 * said here; and each container gets the least with which it works: root in the server is to stay in the server.
 */
import type Docker from 'dockerode';
import type { EngineFacts } from './engine/engine.ts';
import { labPrograms } from './own-service/image.ts';

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const mib = 1024 ** 2;
/** Room for far more than a run of an hour takes; a leak or a fork bomb ends in its container. */
const room = {
  server: { Memory: 2_048 * mib, PidsLimit: 4_096 },
  edge: { Memory: 1_024 * mib, PidsLimit: 4_096 },
  client: { Memory: 8_192 * mib, PidsLimit: 4_096 },
  control: { Memory: 2_048 * mib, PidsLimit: 4_096 },
  // Twenty sites, their second processes beside them, and the Python of Ansible's modules.
  manySites: { Memory: 8_192 * mib, PidsLimit: 8_192 },
} as const;
/** The tmpfs that systemd wants; without a size each may take half of the machine's memory. */
const tmpfs = `size=${256 * mib}`;

/** Root of a usual system within its container: owns files, changes users, ends processes, binds port 80. */
const rootCapabilities = [
  ...['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'NET_BIND_SERVICE'],
];

/**
 * What sshd needs, which runs in a release lab alone. It locks the process that talks with strangers into an empty folder
 * (chroot); and Debian's writes each login to the kernel's audit log, and refuses root where the kernel refuses that.
 */
const sshdCapabilities = ['SYS_CHROOT', 'AUDIT_WRITE'];

/** Under userns-remap the image's files belong to another user than the container's root. */
const ownsAnyFile = 'DAC_OVERRIDE';

/** Open files that every sane engine grants. */
const plentyOfFiles = 16_384;

/** In place of what the engine's daemon.json may have as its defaults. */
const ownDefaults = {
  // systemd is PID 1 or nothing.
  Init: false,
  // In a user namespace of the engine's systemd may not write its own cgroup.
  UsernsMode: 'host',
  IpcMode: 'private',
  ShmSize: 64 * mib,
  CapDrop: ['ALL'],
  RestartPolicy: { Name: 'no' },
} satisfies Docker.HostConfig;

/**
 * A resolver that is nowhere (RFC 5737). Where the host's own is a loopback address, as with systemd-resolved, older engines
 * pass questions on to it even from an internal network: a name would carry bytes out.
 */
const noResolver = { Dns: ['192.0.2.53'] } satisfies Docker.HostConfig;

/**
 * The proxy's log is a witness, and is read through the engine: one file that holds all of it, and no line left out. Each
 * option is said, since those of daemon.json count for what is not.
 */
const wholeLog = {
  Type: 'json-file',
  Config: { 'max-size': '100g', 'max-file': '1', compress: 'false', mode: 'blocking' },
} as const;

/** The lock's container: it reads lines, and has nothing to say. */
export const lockHostConfig: Docker.HostConfig = {
  ...ownDefaults,
  AutoRemove: true,
  NetworkMode: 'none',
  SecurityOpt: ['no-new-privileges'],
  Memory: 64 * mib,
  PidsLimit: 16,
  LogConfig: { Type: 'none', Config: {} },
};

/**
 * The lab's own network: no way out, and no address of the engine's host on it. What the bridge's options leave out is as
 * daemon.json has it (`default-network-opts`).
 */
export function networkOptions(name: string, labels: Record<string, string>): Docker.NetworkCreateOptions {
  return {
    Name: name,
    Driver: 'bridge',
    Internal: true,
    EnableIPv6: false,
    Options: {
      'com.docker.network.bridge.enable_icc': 'true',
      'com.docker.network.bridge.inhibit_ipv4': 'true',
      'com.docker.network.driver.mtu': '1500',
    },
    Labels: labels,
  };
}

/**
 * Options under which systemd boots as PID 1 on cgroup v1 and v2, without rights over the engine's host.
 * @param asked `release`: it has many sites, and is released to over ssh (its image: control-image.ts)
 */
export function serverOptions(
  facts: EngineFacts,
  asked: {
    networkId: string;
    proxyFiles: readonly string[];
    connections: number;
    release?: boolean;
    /** Its image is one of the user's, made the lab's server. */
    hasOwnImage?: boolean;
  },
): Docker.ContainerCreateOptions {
  const { networkId, proxyFiles, connections, release = false, hasOwnImage = false } = asked;
  return {
    Cmd: ['/lib/systemd/systemd'],
    // What the harness runs there must not meet a Node of the user's.
    ...(hasOwnImage && { User: 'root', WorkingDir: '/', Env: [`PATH=${labPrograms}:${systemPath}`] }),
    StopSignal: 'SIGRTMIN+3',
    Hostname: 'server',
    HostConfig: {
      ...common(facts, connections),
      ...(release ? room.manySites : room.server),
      ...cage(facts),
      ...noResolver,
      NetworkMode: networkId,
      CapAdd: release ? [...rootCapabilities, ...sshdCapabilities] : rootCapabilities,
      Tmpfs: { '/run': tmpfs, '/run/lock': tmpfs, '/tmp': tmpfs },
      Binds: [...cgroupBinds(facts), ...proxyFiles],
    },
  };
}

/** The proxy, in the server's network namespace. */
export function edgeOptions(
  facts: EngineFacts,
  { serverId, proxyFiles, connections }: { serverId: string; proxyFiles: readonly string[]; connections: number },
): Docker.ContainerCreateOptions {
  return {
    Cmd: ['/usr/local/bin/traefik'],
    HostConfig: {
      // A connection on either side for each request.
      ...common(facts, 2 * connections),
      ...room.edge,
      NetworkMode: `container:${serverId}`,
      CapAdd: [ownsAnyFile, 'NET_BIND_SERVICE'],
      Binds: [...proxyFiles],
    },
  };
}

/** Where the load generator runs. */
export function clientOptions(
  facts: EngineFacts,
  { networkId, connections }: { networkId: string; connections: number },
): Docker.ContainerCreateOptions {
  return {
    Cmd: ['sleep', 'infinity'],
    Hostname: 'client',
    HostConfig: {
      ...common(facts, connections),
      ...room.client,
      ...noResolver,
      NetworkMode: networkId,
      CapAdd: [ownsAnyFile],
      // When processes of the lab want more than the machine has, the schedule is the last to wait. There is no quota: it
      // would hold a container still for tens of milliseconds, in the middle of a measurement.
      CpuShares: 8_192,
      // A new connection per request uses up a bridge address's ports at some 470 a second without these two.
      Sysctls: { 'net.ipv4.tcp_tw_reuse': '1', 'net.ipv4.ip_local_port_range': '1024 65535' },
    },
  };
}

/** A server of the user's own beside their service, in the server's network namespace; its image may change users. */
export function besideOptions(facts: EngineFacts, serverId: string): Docker.ContainerCreateOptions {
  return {
    HostConfig: {
      ...common(facts, 0),
      ...room.server,
      NetworkMode: `container:${serverId}`,
      CapAdd: rootCapabilities,
    },
  };
}

/**
 * Where `ansible-playbook` runs, in the server's network namespace: it needs no network of its own. In real life it is
 * another machine, so it is the last to get a core that the server or the load wants.
 */
export function controlOptions(facts: EngineFacts, { serverId }: { serverId: string }): Docker.ContainerCreateOptions {
  return {
    Cmd: ['sleep', 'infinity'],
    HostConfig: {
      ...common(facts, 0),
      ...room.control,
      NetworkMode: `container:${serverId}`,
      CapAdd: [ownsAnyFile],
      CpuShares: 128,
    },
  };
}

function common(facts: EngineFacts, connections: number): Docker.HostConfig {
  const { apparmor, selinux, seccomp } = facts.security;
  return {
    ...ownDefaults,
    LogConfig: wholeLog,
    ...(facts.hasRunc ? { Runtime: 'runc' } : {}),
    Ulimits: ulimits(connections),
    SecurityOpt: [
      'no-new-privileges',
      // Docker's profile for AppArmor forbids D-Bus, and SELinux forbids writing one's own cgroup.
      ...(apparmor ? ['apparmor=unconfined'] : []),
      ...(selinux ? ['label=disable'] : []),
      // Docker's own filter, in place of one that the engine names; older engines cannot be told so.
      ...(seccomp === 'own-file' ? ['seccomp=unconfined'] : seccomp === 'builtin-by-name' ? ['seccomp=builtin'] : []),
    ],
  };
}

/** -1 is no limit. Open files beyond the usual are as the engine has them: it may not be able to grant more. */
function ulimits(connections: number): NonNullable<Docker.HostConfig['Ulimits']> {
  const limit = (Name: string, value: number) => ({ Name, Soft: value, Hard: value });
  const files = connections + 1_024 <= plentyOfFiles ? [limit('nofile', plentyOfFiles)] : [];
  return [...files, limit('nproc', 8_192), limit('fsize', -1), limit('cpu', -1), limit('data', -1)];
}

/**
 * systemd needs its own cgroup writable, and nothing above it. In a cgroup namespace of its own it would see only that,
 * but Docker then mounts it read-only. So it stays in the host's namespace and below a cgroup of our own, and of the tree
 * sees this part alone.
 */
function cage(facts: EngineFacts): Docker.HostConfig {
  // The engine's field CgroupnsMode is older than the types know.
  // A path without a leading slash would begin at the engine's own cgroup.
  const parent = facts.cgroupDriver === 'systemd' ? cageOf(facts) : `/${cageOf(facts)}`;
  return { CgroupParent: parent, ...{ CgroupnsMode: 'host' } };
}

/** The cgroup below which the server's container has its own; the engine's drivers write its name in two ways. */
function cageOf({ cgroupDriver }: EngineFacts): string {
  return cgroupDriver === 'systemd' ? 'restartproof.slice' : 'restart-proof';
}

/**
 * The cage at the root of the tree, where systemd looks for what kind of tree it is, and again at its own path, where it
 * looks for its own cgroup. On v1 systemd needs its own hierarchy only; the controllers, and with them the limits, are out
 * of reach.
 */
function cgroupBinds(facts: EngineFacts): string[] {
  const tree = facts.cgroupVersion === '2' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/systemd';
  const cage = `${tree}/${cageOf(facts)}`;
  return [`${cage}:${tree}:rw`, `${cage}:${cage}:rw`];
}

/** What the lab is made of, read inside it: versions and settings that bound a result. */
import type Docker from 'dockerode';
import type { EngineFacts } from './engine/engine.ts';
import { exec } from './engine/exec.ts';
import { projectState, sourcesHash } from './project-state.ts';

/** sysctls of the server's network namespace that decide what becomes of a connection. */
const sysctls = [
  'net.core.somaxconn',
  'net.ipv4.tcp_abort_on_overflow',
  'net.ipv4.tcp_migrate_req',
  'net.ipv4.tcp_syn_linear_timeouts',
];

/** Names and values; a setting that this kernel does not have is `absent`. */
export async function fingerprintOf(
  { server, edge, serverImage }: { server: Docker.Container; edge: Docker.Container | null; serverImage: string },
  engine: EngineFacts,
  image: string,
): Promise<Record<string, string>> {
  const script = [
    'echo "systemd=$(systemctl --version | sed -n "1s/systemd \\([0-9]*\\).*/\\1/p")"',
    'echo "node=$(node --version)"',
    'echo "sqlite=$(node -p process.versions.sqlite)"',
    // What the site itself reports of its database, in the event of its start.
    'echo "sqlite.pragmas=$(journalctl -o cat --no-pager | sed -n "s/.*\\"pragmas\\":{\\([^}]*\\)}.*/\\1/p" | head -n 1 | tr -d \'"\')"',
    'echo "debian=$(cat /etc/debian_version)"',
    ...sysctls.map((name) => `echo "${name}=$(cat /proc/sys/${name.replaceAll('.', '/')} 2>/dev/null || echo absent)"`),
    'echo "cpu=$(sed -n "s/^model name[^:]*: //p" /proc/cpuinfo | head -n 1)"',
  ].join('\n');
  const [{ stdout }, proxy, project, sources] = await Promise.all([
    exec(server, ['sh', '-c', script]),
    // The server's image may be one of the user's, without it.
    exec(edge ?? server, ['sh', '-c', 'traefik version']),
    projectState(),
    sourcesHash(),
  ]);
  const inside = [...stdout.matchAll(/^([^=\n]+)=(.*)$/gmu)].map(([, name = '', value = '']) => [name, value] as const);
  return {
    ...Object.fromEntries(inside),
    traefik: /^Version: *(\S+)/mu.exec(proxy.stdout)?.[1] ?? '',
    project,
    sources,
    kernel: engine.kernel,
    engine: engine.version,
    architecture: engine.architecture,
    cgroup: `v${engine.cgroupVersion}`,
    cpus: String(engine.cpus),
    storage: engine.storageDriver,
    image,
    ...(serverImage !== image && { serverImage }),
  };
}

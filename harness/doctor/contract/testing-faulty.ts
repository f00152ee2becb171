/** For tests: the service that breaks the contract as it is told, as a service.yaml. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectEngine, runLabel } from '../../lab/engine/engine.ts';
import type { CheckResult } from './checks.ts';
import type { faults } from './testing-services/faulty.ts';

const program = fileURLToPath(new URL('testing-services/faulty.ts', import.meta.url));

/** What it does wrong; `wrapped`: nothing, and a shell that stays starts it. */
export type Fault = keyof typeof faults | 'wrapped';

/** What the doctor prints with --json. */
export interface DoctorJson {
  readonly keepsContract: boolean;
  readonly checks: readonly CheckResult[];
}

/** Writes its service.yaml; the path of it. */
export async function faultyService(folder: string, fault: Fault): Promise<string> {
  const command =
    `/usr/local/bin/node /opt/faulty/faulty.ts --fault ${fault === 'wrapped' ? 'none' : fault} --listen {public} ` +
    '--internal {internal} --data /var/lib/faulty/orders.txt --warm-up {warmupMs} --grace {graceMs}';
  const path = join(folder, `${fault}.yaml`);
  const service = {
    name: 'faulty',
    files: [program],
    start: fault === 'wrapped' ? `/bin/sh -c '${command}; exit $?'` : command,
    listens: 'either',
    public: '127.0.0.1:18080',
    internal: '127.0.0.1:18081',
    health: { live: '/livez', ready: '/readyz' },
    release: { environment: { APP_VERSION: '{version}' } },
    version: { header: 'X-App-Version' },
    requests: [
      { path: '/', weight: 50 },
      { path: '/slow', weight: 5 },
      { name: 'order', method: 'POST', path: '/orders', weight: 45, body: '{"id": "{id}"}', expect: { status: 201 } },
    ],
    writes: { requests: ['order'], command: 'cat /var/lib/faulty/orders.txt' },
  };
  // JSON is YAML.
  await writeFile(path, JSON.stringify(service, null, 2));
  return path;
}

/** Labs of the doctor's that stand. */
export async function standing(): Promise<string[]> {
  const { docker } = await connectEngine();
  const containers = await docker.listContainers({ all: true, filters: { label: [runLabel] } });
  return containers.flatMap(({ Labels }) => Labels[runLabel] ?? []).filter((run) => run.startsWith('contract'));
}

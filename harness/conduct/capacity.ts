/**
 * The capacity: what a site can do at all, by autocannon. Its load is closed (each connection asks again once it was
 * answered), so it tells capacity and latency before and after the deploys, and never how many requests were lost.
 */
import { rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { scratchFolder } from '../base/scratch-folder.ts';
import { exec } from '../lab/engine/exec.ts';
import type { Lab } from '../lab/lab.ts';
import type { Capacity, Capacities } from '../run/capacity.ts';

const require = createRequire(import.meta.url);

const labFolder = '/opt/autocannon';
const connections = 10;
const durationSeconds = 3;

interface CapacityRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Of https: the name to send as SNI, and the client’s own certificate and key. No certificate is checked. */
  readonly serverName?: string;
  /** The Unix socket that is asked in place of the URL's host. */
  readonly socketPath?: string;
  readonly identity?: { readonly certFile: string; readonly keyFile: string };
}

/** Puts autocannon, as this project has it, into the lab's client. */
export async function installAutocannon(lab: Lab): Promise<void> {
  // Loaded here: `measure` needs no lab, and its package does not have what a lab needs.
  const [{ putFiles }, { packageFiles }] = await Promise.all([
    import('../lab/engine/files.ts'),
    import('../lab/engine/npm-package.ts'),
  ]);
  await putFiles(lab.client, await packageFiles('autocannon', labFolder));
}

/** The capacity through the proxy, of a page that costs the site next to nothing; null when it could not be measured. */
export async function labCapacity(lab: Lab): Promise<Capacity | null> {
  const url = `http://${lab.serverAddress}:${lab.targetPort}/livez`;
  const words = wordsFor({ url, method: 'GET', headers: [['Host', lab.sites[0].hostHeader]] }, null);
  const program = `${labFolder}/node_modules/autocannon/autocannon.js`;
  const { stdout } = await exec(lab.client, ['node', program, ...words]);
  return parseCapacity(stdout);
}

/** The capacity from this machine; null when it could not be measured (a service that does not answer). */
export async function localCapacity(
  { body, ...request }: CapacityRequest & { readonly body: Buffer | null },
  signal: AbortSignal,
): Promise<Capacity | null> {
  const folder = await scratchFolder('capacity');
  try {
    const bodyFile = join(folder, 'body');
    if (body !== null) await writeFile(bodyFile, body);
    const words = [require.resolve('autocannon'), ...wordsFor(request, body === null ? null : bodyFile)];
    const { stdout } = await execa(process.execPath, words, { reject: false, cancelSignal: signal });
    return parseCapacity(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Both capacities, with what made them. */
export function capacitiesOf(request: string, before: Capacity | null, after: Capacity | null): Capacities {
  const { version } = require('autocannon/package.json') as { version: string };
  return { tool: `autocannon ${version}`, request, before, after };
}

/** @param bodyFile holds the body, which autocannon reads as UTF-8; null without one */
function wordsFor(request: CapacityRequest, bodyFile: string | null): string[] {
  const { url, method, headers, serverName, socketPath, identity } = request;
  return [
    ...['--json', '--no-progress', '--method', method],
    ...['--connections', String(connections), '--duration', String(durationSeconds)],
    ...headers.flatMap(([name, value]) => ['--headers', `${name}=${value}`]),
    ...(bodyFile === null ? [] : ['--input', bodyFile]),
    ...(serverName === undefined ? [] : ['--servername', serverName]),
    ...(socketPath === undefined ? [] : ['--socketPath', socketPath]),
    ...(identity === undefined ? [] : ['--cert', identity.certFile, '--key', identity.keyFile]),
    url,
  ];
}

const outputSchema = z.object({
  requests: z.object({ average: z.number() }),
  latency: z.object({ p50: z.number(), p99: z.number() }),
});

function parseCapacity(stdout: string): Capacity | null {
  try {
    const { requests, latency } = outputSchema.parse(JSON.parse(stdout));
    return {
      connections,
      durationSeconds,
      requestsPerSecond: requests.average,
      latencyP50Ms: latency.p50,
      latencyP99Ms: latency.p99,
    };
  } catch {
    return null;
  }
}

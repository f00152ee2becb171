/** The Docker engine: found, asked, and its absence explained. */
import type { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { z } from 'zod';
import { HarnessError } from '../../base/errors.ts';
import { ContextError, engineAddress, type EngineAddress } from './engine-address.mjs';
import { connectionError } from './engine-errors.ts';
import { SshAgent } from '../ssh-agent.ts';

/** The label that everything of ours in the engine carries; its value is the run's id. */
export const runLabel = 'restart-proof.run';
/** Who made it: `<host>/<pid>`, so that a clean-up leaves a neighbour's live lab alone. */
export const ownerLabel = 'restart-proof.owner';

/** What the engine is, by its own answers. */
export type EngineFacts = ReturnType<typeof factsOf>;

/** CgroupnsMode, which the lab needs on cgroup v2, came with this API (Docker 20.10). */
const leastApi = { version: '1.41', docker: '20.10' } as const;
/** An engine that has not answered by then is not waited for. */
const answerMs = 15_000;

/** Calls of dockerode that can be given up; its types leave that out. */
type Patient = Record<'version' | 'info', (options: { abortSignal: AbortSignal }) => Promise<unknown>>;

const versionSchema = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  Arch: z.string(),
  Os: z.string().default('linux'),
  KernelVersion: z.string().default('unknown'),
});
const infoSchema = z.object({
  CgroupVersion: z.string().default('unknown'),
  Driver: z.string().default('unknown'),
  OperatingSystem: z.string().default('unknown'),
  NCPU: z.number(),
  SecurityOptions: z.array(z.string()).nullish(),
  CgroupDriver: z.string().default('unknown'),
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Connects to the engine that DOCKER_HOST or a Docker context names, else to the one of this machine.
 * @throws {HarnessError} (exit code 4) when none answers, or it cannot run the lab
 */
export async function connectEngine(): Promise<{ docker: Docker; facts: EngineFacts; address: EngineAddress }> {
  const address = addressOfEngine();
  let docker: Docker;
  let said: unknown[];
  try {
    docker = new Docker(optionsFor(address));
    const patience = { abortSignal: AbortSignal.timeout(answerMs) };
    const asked = docker as unknown as Patient;
    said = await Promise.all([asked.version(patience), asked.info(patience)]);
  } catch (error) {
    throw connectionError(error, address);
  }
  return { docker, facts: factsOf(said, address), address };
}

/** How long an engine that does not answer is waited for: it may be starting again. */
const backWithinMs = 30_000;

/** Waits until the engine answers, but no longer than an engine takes to start again. */
export async function engineBack(docker: Docker): Promise<void> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < backWithinMs) {
    const answer: unknown = await docker.ping().catch(() => null);
    if (answer !== null) return;
    await sleep(500);
  }
}

function addressOfEngine(): EngineAddress {
  try {
    return engineAddress();
  } catch (error) {
    if (error instanceof ContextError) throw new HarnessError('engine-context', error.message, { cause: error });
    throw error;
  }
}

/** Reads the engine's answers, and refuses an engine that cannot run the lab. */
function factsOf([versionSaid, infoSaid]: unknown[], address: EngineAddress) {
  const version = versionSchema.safeParse(versionSaid);
  const info = infoSchema.safeParse(infoSaid);
  if (!version.success || !info.success) {
    const what = `What answers at ${address.named ?? 'the socket'} is no Docker engine.`;
    throw new HarnessError('engine-unreachable', what, { cause: version.error ?? info.error });
  }
  const { Version, ApiVersion, Arch, Os, KernelVersion } = version.data;
  if (Os !== 'linux') {
    throw new HarnessError('engine-architecture', `The engine runs ${Os} containers, and the lab is Linux.`, {
      hint: 'Switch Docker Desktop to Linux containers.',
    });
  }
  if (!isAtLeast(ApiVersion, leastApi.version)) {
    const found = `The engine is Docker ${Version} (API ${ApiVersion})`;
    const needed = `${leastApi.docker} (API ${leastApi.version}) is needed`;
    throw new HarnessError('engine-too-old', `${found}; ${needed}.`);
  }
  const { CgroupVersion, Driver, OperatingSystem, NCPU, SecurityOptions, CgroupDriver, Runtimes } = info.data;
  return {
    version: Version,
    /** Version of its API, such as 1.41. */
    apiVersion: ApiVersion,
    /** As Docker names it: amd64, arm64. */
    architecture: Arch,
    kernel: KernelVersion,
    cgroupVersion: CgroupVersion,
    storageDriver: Driver,
    operatingSystem: OperatingSystem,
    cpus: NCPU,
    cgroupDriver: CgroupDriver,
    /** Has it the runtime by this name? Another may be its default. */
    hasRunc: Object.hasOwn(Runtimes ?? {}, 'runc'),
    security: securityOf(SecurityOptions ?? [], ApiVersion),
  };
}

/** `seccomp=builtin` is understood from this API on (Docker 23). */
const builtinSince = '1.42';

/**
 * What confines containers on an engine.
 * @param options as /info has them, such as `name=seccomp,profile=default`
 */
export function securityOf(options: readonly string[], apiVersion: string) {
  const has = (name: string): boolean => options.some((option) => option.split(',').includes(`name=${name}`));
  const profile = options.map((option) => /^name=seccomp,profile=(.*)$/u.exec(option)?.[1]).find(Boolean);
  const isOwn = profile !== undefined && !['default', 'builtin', 'unconfined'].includes(profile);
  const seccomp = isOwn ? (isAtLeast(apiVersion, builtinSince) ? 'builtin-by-name' : 'own-file') : 'builtin';
  return {
    apparmor: has('apparmor'),
    selinux: has('selinux'),
    /** Its root is not the host's. */
    rootless: has('rootless'),
    /** userns-remap. */
    remapped: has('userns'),
    /** Which filter of system calls it has, and whether it can be told to take Docker's own. */
    seccomp: has('seccomp') ? seccomp : 'none',
  } as const;
}

/** Is this version, such as 1.41, the other one or above it? */
export function isAtLeast(version: string, least: string): boolean {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}

/** The address in dockerode's words; its own reading of DOCKER_HOST knows no contexts, and ssh without known hosts. */
function optionsFor(address: EngineAddress): Docker.DockerOptions & { readonly agent?: Agent } {
  switch (address.kind) {
    case 'unix':
      return { socketPath: address.socketPath };
    case 'tcp': {
      const { host, port, tls } = address;
      if (tls === null) return { protocol: 'http', host, port };
      const { verify, ...keys } = tls;
      return { protocol: 'https', host, port, agent: new TlsAgent({ ...keys, rejectUnauthorized: verify }) };
    }
    case 'ssh':
      // The name of the host is for the Host header alone, as Docker's client writes it.
      return { protocol: 'http', host: 'docker.example.com', port: 80, agent: new SshAgent(address) };
  }
}

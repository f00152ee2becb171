/** The Docker engine: found, asked, and its absence explained. */
import Docker from 'dockerode';
import { HarnessError, messageOf } from '../errors.ts';

/** The label that everything of ours in the engine carries; its value is the run's id. */
export const runLabel = 'restart-proof.run';
/** Who made it: `<host>/<pid>`, so that a clean-up leaves a neighbour's live lab alone. */
export const ownerLabel = 'restart-proof.owner';

/** What the engine says of itself. */
export interface EngineFacts {
  readonly version: string;
  /** As Docker names it: amd64, arm64. */
  readonly architecture: string;
  readonly kernel: string;
  readonly cgroupVersion: string;
  readonly storageDriver: string;
  readonly operatingSystem: string;
  readonly cpus: number;
  /** Does AppArmor confine containers here? */
  readonly apparmor: boolean;
}

/**
 * Connects to the engine that DOCKER_HOST names, else to the local socket.
 * @throws {HarnessError} (exit code 4) when none answers
 */
export async function connectEngine(): Promise<{ docker: Docker; facts: EngineFacts }> {
  let docker: Docker;
  try {
    docker = new Docker();
    const [version, info] = await Promise.all([
      docker.version(),
      docker.info() as Promise<
        Record<string, unknown> & { Driver: string; OperatingSystem: string; NCPU: number; SecurityOptions?: string[] }
      >,
    ]);
    return {
      docker,
      facts: {
        version: version.Version,
        architecture: version.Arch,
        kernel: version.KernelVersion,
        cgroupVersion: typeof info['CgroupVersion'] === 'string' ? info['CgroupVersion'] : 'unknown',
        storageDriver: info.Driver,
        operatingSystem: info.OperatingSystem,
        cpus: info.NCPU,
        apparmor: (info.SecurityOptions ?? []).some((option) => option.includes('apparmor')),
      },
    };
  } catch (error) {
    throw new HarnessError('engine-absent', `No Docker engine answers: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

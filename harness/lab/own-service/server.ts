/** The lab's server alone, with a service of the user's own that nobody has started yet: the doctor watches its first start. */
import type Docker from 'dockerode';
import { HarnessError } from '../../base/errors.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { sitesOf } from '../../experiment/units.ts';
import { networkOptions, serverOptions } from '../container-options.ts';
import { ownerLabel, runLabel, type EngineFacts } from '../engine/engine.ts';
import { exec } from '../engine/exec.ts';
import { putFiles, startContainer, type LabFile } from '../engine/files.ts';
import { filesOfHarness, filesOfServer } from '../lab.ts';
import { thisOwner } from '../owner.ts';
import { removeRun } from '../remove.ts';
import { startBeside } from './beside.ts';
import { filesOfOwnPrograms, type OwnServiceFiles } from './files.ts';
import { ensureServerImage } from './image.ts';

/** The connections that are open at once are few. */
const connections = 512;

interface ServerOptions {
  readonly runId: string;
  readonly experiment: Experiment;
  readonly own: OwnServiceFiles;
  readonly image: string;
  readonly facts: EngineFacts;
  readonly signal: AbortSignal;
  /** Is told what takes long. */
  readonly say: (line: string) => void;
}

/** A server that is up. */
export type LabServer = Awaited<ReturnType<typeof bootServer>>;

/**
 * Boots it, and the servers beside it. Whatever goes wrong, nothing of it is left behind.
 * @throws {HarnessError} (exit code 4) saying what is missing
 */
export async function bootServer(docker: Docker, options: ServerOptions) {
  const { runId, experiment, image, facts, signal, say } = options;
  const labels = { [runLabel]: runId, [ownerLabel]: thisOwner };
  const nameOf = (role: string): string => `restart-proof-${runId}-${role}`;
  try {
    const { tag, settings } = await ensureServerImage(docker, image, options.own, say);
    const own = { ...options.own, imageSettings: settings };
    const network = await docker.createNetwork(networkOptions(nameOf('net'), labels));
    signal.throwIfAborted();
    const hasOwnImage = settings !== null;
    const container = {
      ...{ name: nameOf('server'), Image: tag, Labels: labels },
      ...serverOptions(facts, { networkId: network.id, proxyFiles: [], connections, hasOwnImage }),
    };
    const files = await Promise.all([unstartedFiles(experiment, own), filesOfOwnPrograms(own), filesOfHarness()]);
    const server = await startContainer(docker, container, files.flat(), signal);
    await startBeside(docker, own, {
      ...{ facts, labImage: image, serverId: server.id, nameOf, labels, signal, say },
    });
    await untilUp(server);
    signal.throwIfAborted();
    return {
      container: server,
      /** Wires the service as another experiment does: with a socket, say. */
      rewire: async (other: Experiment): Promise<void> => {
        await putFiles(server, await unstartedFiles(other, own));
        await exec(server, ['systemctl', 'daemon-reload']);
      },
    };
  } catch (error) {
    await removeRun(docker, runId);
    throw error;
  }
}

/** The files of an experiment, but for what is started at boot. */
async function unstartedFiles(experiment: Experiment, own: OwnServiceFiles): Promise<LabFile[]> {
  const files = await filesOfServer(experiment, own);
  const [{ service }] = sitesOf(experiment)[0].colours;
  return [
    ...files.filter((file) => !('linkTo' in file && file.path.includes('.wants/'))),
    // systemd forgets how a unit ended that no other one names.
    { path: '/etc/systemd/system/multi-user.target.d/50-known.conf', content: `[Unit]\nAfter=${service}\n` },
  ];
}

async function untilUp(server: Docker.Container): Promise<void> {
  const { stdout, stderr } = await exec(server, [
    'sh',
    '-c',
    'until systemctl is-system-running --wait 2>/dev/null | grep -E "running|degraded"; do sleep 0.05; done',
  ]);
  if (/running|degraded/u.test(stdout)) return;
  throw new HarnessError('lab-not-ready', `systemd did not come up in the lab's server: ${stderr.trim()}`);
}

/** Servers of a service's own beside it, such as PostgreSQL: containers in the network of the lab's server. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { HarnessError } from '../../base/errors.ts';
import type { OwnService } from '../../experiment/own-service.ts';
import { besideOptions } from '../container-options.ts';
import type { EngineFacts } from '../engine/engine.ts';
import { containerLog } from '../engine/container-log.ts';
import { exec } from '../engine/exec.ts';
import type { OwnServiceFiles } from './files.ts';
import { ensurePackages, requireOwnImage } from './image.ts';

const readyWithinMs = 60_000;
const pollMs = 100;
const logLines = 15;

/** The lab in which they are started. */
export interface BesideSetting {
  readonly facts: EngineFacts;
  readonly labImage: string;
  readonly serverId: string;
  /** The container's name in the engine, by the name that service.yaml gives it. */
  readonly nameOf: (name: string) => string;
  readonly labels: Record<string, string>;
  readonly signal: AbortSignal;
  /** Is told what takes long. */
  readonly say: (line: string) => void;
}

/**
 * Starts each, and waits until it can be used.
 * @throws {HarnessError} (exit code 4) with the last lines of its log, when one cannot
 */
export async function startBeside(
  docker: Docker,
  { service, labelOf }: Pick<OwnServiceFiles, 'service' | 'labelOf'>,
  setting: BesideSetting,
): Promise<void> {
  await Promise.all(
    service.containers.map(async (container, index) => {
      const { image, packages = [] } = container;
      if (image !== undefined) await requireOwnImage(docker, image, setting.say);
      const wanted = { packages, labelOf: (at: number) => labelOf('containers', index, 'packages', at) };
      const tag = image ?? (await ensurePackages(docker, setting.labImage, wanted, setting.say));
      await startOne(docker, container, tag, setting);
    }),
  );
}

async function startOne(
  docker: Docker,
  { name, environment, start, ready }: OwnService['containers'][number],
  image: string,
  { facts, serverId, nameOf, labels, signal }: BesideSetting,
): Promise<void> {
  const container = await docker.createContainer({
    name: nameOf(name),
    Image: image,
    Labels: labels,
    Env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
    ...(start === undefined ? {} : { Entrypoint: ['/bin/sh', '-c', start], Cmd: [] }),
    ...besideOptions(facts, serverId),
  });
  await container.start();
  if (ready === undefined) return;
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    signal.throwIfAborted();
    const { State } = await container.inspect();
    const asked = State.Running ? await exec(container, ['/bin/sh', '-c', ready]) : null;
    if (asked?.exitCode === 0) return;
    if (asked === null || performance.now() > deadline) {
      const log = await lastLines(container);
      const what =
        asked === null ? `ended with status ${State.ExitCode}` : `was not ready within ${readyWithinMs / 1000} s`;
      const said = asked === null ? '' : ` (${ready}: ${(asked.stderr || asked.stdout).trim()})`;
      throw new HarnessError('lab-not-ready', `The container ${name} ${what}${said}.\nLast lines of its log:\n${log}`);
    }
    await sleep(pollMs);
  }
}

async function lastLines(container: Docker.Container): Promise<string> {
  const lines = (await Readable.from(containerLog(container)).toArray()) as string[];
  // Each stands behind the engine's stamp.
  const words = lines.slice(-logLines).map((line) => line.slice(line.indexOf(' ') + 1));
  return words.join('\n');
}

/** Builds the lab's image on the engine: a Debian base (pulled, else made with debootstrap), Node and Traefik on top. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { execa, type ExecaError } from 'execa';
import tar from 'tar-stream';
import { HarnessError, messageOf } from '../errors.ts';
import { dockerfilePath, type LabArchitecture } from './image.ts';

/** A registry that has not begun to answer by then is not waited for. */
const pullAnswerMs = 8_000;

/** Is there an image of this tag? */
export async function hasImage(docker: Docker, tag: string): Promise<boolean> {
  try {
    await docker.getImage(tag).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

/**
 * A Debian base: the one that is there, else pulled, else made here.
 * @returns its tag, and in a few words where it is from
 * @throws {HarnessError} (exit code 4) when there is no way to one
 */
export async function ensureBase(
  docker: Docker,
  release: string,
  architecture: LabArchitecture,
): Promise<{ tag: string; from: string }> {
  const pulled = `debian:${release}-slim`;
  const made = `restart-proof/debian:${release}`;
  if (await hasImage(docker, made)) return { tag: made, from: 'already there' };
  if (await hasImage(docker, pulled)) return { tag: pulled, from: 'already there' };
  const noPull = await pull(docker, pulled);
  if (noPull === undefined) return { tag: pulled, from: 'pulled' };
  await debootstrap(docker, release, architecture, made, noPull);
  return { tag: made, from: 'made with debootstrap, since no image registry answers' };
}

/** @returns undefined when it was pulled, else why not */
async function pull(docker: Docker, image: string): Promise<string | undefined> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), pullAnswerMs);
  try {
    const stream = await docker.pull(image, { abortSignal: giveUp.signal });
    return await progressEnd(docker, stream, () => clearTimeout(timer));
  } catch (error) {
    return messageOf(error);
  } finally {
    clearTimeout(timer);
  }
}

async function debootstrap(
  docker: Docker,
  release: string,
  architecture: LabArchitecture,
  tag: string,
  noPull: string,
): Promise<void> {
  const here = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || here !== architecture) {
    throw new HarnessError('image-base-missing', `No image registry gave debian:${release}-slim (${noPull}).`, {
      hint:
        `Pull debian:${release}-slim from a registry you reach, or run \`npm run setup\` as root on a Debian or Ubuntu ` +
        `machine of the engine's architecture (${architecture}), where debootstrap can make the base.`,
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'restart-proof-base-'));
  try {
    await execa('debootstrap', ['--variant=minbase', `--arch=${architecture}`, release, folder]);
    const packed = spawn('tar', ['-C', folder, '--numeric-owner', '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [repo, name] = tag.split(':');
    // The types know a path only; a stream is passed on as it is.
    const stream = await docker.importImage(packed.stdout, { repo, tag: name });
    const failure = await progressEnd(docker, stream);
    if (failure !== undefined) throw new Error(failure);
  } catch (error) {
    const { code, shortMessage, stdout } = error as ExecaError;
    throw new HarnessError(
      'image-base-failed',
      code === 'ENOENT'
        ? 'debootstrap, which makes the Debian base, is not installed.'
        : `The Debian base could not be made: ${shortMessage}\n${String(stdout ?? '').slice(-500)}`,
      {
        cause: error,
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Builds the image.
 * @throws {HarnessError} (exit code 4) with the last lines of the build
 */
export async function buildLabImage(
  docker: Docker,
  options: { base: string; tag: string; node: Buffer; traefik: Buffer },
): Promise<void> {
  const context = tar.pack();
  context.entry({ name: 'Dockerfile' }, await readFile(dockerfilePath));
  context.entry({ name: 'node', mode: 0o755 }, options.node);
  context.entry({ name: 'traefik', mode: 0o755 }, options.traefik);
  context.finalize();
  const stream = await docker.buildImage(Readable.from(context), {
    t: options.tag,
    buildargs: { BASE: options.base, ...proxySettings() },
    rm: true,
    forcerm: true,
  });
  const lines: string[] = [];
  const failure = await progressEnd(docker, stream, (line) => lines.push(line));
  if (failure === undefined) return;
  throw new HarnessError(
    'image-build-failed',
    `The lab's image could not be built: ${failure}\n${lines.join('').trim().slice(-1_500)}`,
  );
}

/** Reads the engine's progress to its end. @returns what the engine said went wrong, if anything */
async function progressEnd(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  hear: (line: string) => void = () => undefined,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    docker.modem.followProgress(
      stream,
      (error) => resolve(error?.message),
      (event: { stream?: string; error?: string }) => {
        hear(event.stream ?? event.error ?? '');
        // A failure comes as an event within an answer that says 200.
        if (event.error !== undefined) resolve(event.error);
      },
    );
  });
}

function proxySettings(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

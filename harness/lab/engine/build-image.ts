/** Builds the lab's image on the engine: a Debian base (pulled, else made with debootstrap), Node and Traefik on top. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type Docker from 'dockerode';
import { execa, type ExecaError } from 'execa';
import tar from 'tar-stream';
import { HarnessError, messageOf } from '../../base/errors.ts';
import { canMake, rootEnvironment } from '../../tool-environment.mjs';
import { unlessRefused } from './engine-errors.ts';
import { dockerfilePath, type LabArchitecture } from '../image.ts';

/** A registry that has not begun to answer by then is not waited for. */
const pullAnswerMs = 8_000;

/** Is there an image of this tag? */
export async function hasImage(docker: Docker, tag: string): Promise<boolean> {
  return (await unlessRefused(docker.getImage(tag).inspect(), 404)) !== null;
}

/**
 * A Debian base: the one that is there, else pulled, else made here.
 * @param cache a folder of the project's own, where one can be made
 * @returns its tag, in a few words where it is from, and whether the image's packages are surely in it
 * @throws {HarnessError} (exit code 4) when there is no way to one
 */
export async function ensureBase(
  docker: Docker,
  release: string,
  architecture: LabArchitecture,
  cache: string,
): Promise<{ tag: string; from: string; isComplete: boolean }> {
  const pulled = `debian:${release}-slim`;
  const made = `restart-proof/debian:${release}`;
  if (await hasImage(docker, made)) return { tag: made, from: 'already there', isComplete: false };
  if (await hasImage(docker, pulled)) return { tag: pulled, from: 'already there', isComplete: false };
  const noPull = await pull(docker, pulled);
  if (noPull === undefined) return { tag: pulled, from: 'pulled', isComplete: false };
  await debootstrap(docker, release, architecture, { tag: made, noPull, cache });
  return { tag: made, from: 'made with debootstrap, since no image registry answers', isComplete: true };
}

/**
 * Fetches an image from its registry.
 * @returns undefined when it was pulled, else why not
 */
export async function pull(docker: Docker, image: string): Promise<string | undefined> {
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
  { tag, noPull, cache }: { tag: string; noPull: string; cache: string },
): Promise<void> {
  const here = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || here !== architecture) {
    throw new HarnessError('image-base-missing', `No image registry gave debian:${release}-slim (${noPull}).`, {
      hint:
        `Pull debian:${release}-slim from a registry you reach, or run \`npm run setup\` as root on a Debian or Ubuntu ` +
        `machine of the engine's architecture (${architecture}), where debootstrap can make the base.`,
    });
  }
  if (!existsSync(debianKeyring)) {
    throw new HarnessError('image-base-unsigned', `Debian's keyring is missing (${debianKeyring}).`);
  }
  const folder = await folderForSystem(cache);
  try {
    const words = [
      ...['--variant=minbase', `--arch=${architecture}`, `--keyring=${debianKeyring}`, '--force-check-gpg'],
      // Here too, so that the build has nothing to fetch: the engine may have no way out.
      `--include=${packagesIn(await readFile(dockerfilePath, 'utf8')).join(',')}`,
    ];
    await execa('debootstrap', [...words, release, folder], { env: rootEnvironment(), extendEnv: false });
    const packed = spawn('tar', ['-C', folder, '--numeric-owner', '-c', '.'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: rootEnvironment(),
    });
    const [repo, name] = tag.split(':');
    // The types know a path only; a stream is passed on as it is.
    const stream = await docker.importImage(packed.stdout, { repo, tag: name });
    const failure = await progressEnd(docker, stream);
    if (failure !== undefined) throw new Error(failure);
  } catch (error) {
    throw baseFailure(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The packages that a Dockerfile installs. */
export function packagesIn(dockerfile: string): string[] {
  return /--no-install-recommends\s*\\\n\s*([a-z0-9.+ -]+)/u.exec(dockerfile)?.[1]?.trim().split(' ') ?? [];
}

/** The keys that debootstrap checks the release's signature with; without them it accepts whatever a mirror gives. */
const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

function baseFailure(error: unknown): HarnessError {
  const { code, shortMessage, message, stdout } = error as Partial<ExecaError> & Error;
  const said = String(stdout ?? '');
  const cause = { cause: error };
  if (/^E: .*(signature|gpgv|keyring)/imu.test(said)) {
    const line = /^E: (.*)$/mu.exec(said)?.[1] ?? '';
    return new HarnessError('image-base-unsigned', `Debian's signature could not be checked: ${line}.`, cause);
  }
  const sentence =
    code === 'ENOENT'
      ? 'debootstrap, which makes the Debian base, is not installed.'
      : `The Debian base could not be made: ${shortMessage ?? message}\n${said.slice(-500)}`;
  return new HarnessError('image-base-failed', sentence, cause);
}

/**
 * A folder in which a system can be made: programs run there, and devices are devices. Many a /tmp is mounted noexec and
 * nodev, so the project's own folder is tried first.
 */
async function folderForSystem(cache: string): Promise<string> {
  const tried: string[] = [];
  for (const parent of new Set([cache, tmpdir(), '/var/tmp'])) {
    if (!canMake(parent)) {
      tried.push(`${parent} cannot be written`);
      continue;
    }
    const folder = await mkdtemp(join(parent, 'restart-proof-base-'));
    const why = await whyNoSystem(folder);
    if (why === undefined) return folder;
    tried.push(`${parent} is mounted ${why}`);
    await rm(folder, { recursive: true, force: true });
  }
  throw new HarnessError('image-base-failed', `No folder here can hold a Debian system: ${tried.join(', ')}.`, {
    hint: 'Set TMPDIR to a folder on a disk that is mounted without noexec and nodev, and run `npm run setup` again.',
  });
}

/** Tries what debootstrap will do. @returns the mount option that forbids it */
async function whyNoSystem(folder: string): Promise<string | undefined> {
  const program = join(folder, 'program');
  await writeFile(program, '#!/bin/sh\n', { mode: 0o755 });
  if ((await execa(program, { reject: false })).exitCode !== 0) return 'noexec';
  const device = join(folder, 'null');
  const makes = 'mknod "$1" c 1 3 && echo test > "$1"';
  if ((await execa('sh', ['-c', makes, 'sh', device], { reject: false })).exitCode !== 0) return 'nodev';
  await Promise.all([rm(program), rm(device)]);
  return undefined;
}

/**
 * Builds the image.
 * @throws {HarnessError} (exit code 4) with the last lines of the build
 */
export async function buildLabImage(
  docker: Docker,
  options: { base: { tag: string; isComplete: boolean }; tag: string; node: Buffer; traefik: Buffer },
): Promise<void> {
  const failure = await buildImage(docker, {
    tag: options.tag,
    base: options.base.tag,
    files: [
      { name: 'Dockerfile', content: await readFile(dockerfilePath) },
      { name: 'node', mode: 0o755, content: options.node },
      { name: 'traefik', mode: 0o755, content: options.traefik },
    ],
    // Without a network apt knows at once that it cannot ask for anything newer.
    hasNetwork: !options.base.isComplete,
  });
  if (failure === undefined) return;
  throw new HarnessError('image-build-failed', `The lab's image could not be built: ${failure}`);
}

/**
 * Builds an image of these files on the engine.
 * @param options `base`: what the Dockerfile gets as BASE
 * @returns undefined when it was built, else what the engine said, with the last lines of the build
 */
async function buildImage(
  docker: Docker,
  options: {
    readonly tag: string;
    readonly base: string;
    readonly files: readonly { readonly name: string; readonly content: Buffer; readonly mode?: number }[];
    readonly hasNetwork: boolean;
  },
): Promise<string | undefined> {
  const context = tar.pack();
  for (const { content, ...header } of options.files) context.entry(header, content);
  context.finalize();
  const stream = await docker.buildImage(Readable.from(context), {
    t: options.tag,
    buildargs: { BASE: options.base, ...proxySettings() },
    ...(options.hasNetwork ? {} : { networkmode: 'none' }),
    rm: true,
    forcerm: true,
  });
  const lines: string[] = [];
  const failure = await progressEnd(docker, stream, (line) => lines.push(line));
  return failure === undefined
    ? undefined
    : `${failure}\n${stripVTControlCharacters(lines.join('')).trim().slice(-1_500)}`;
}

/**
 * Builds an image where the engine does not have it.
 * @param options `recipe`: the Dockerfile. `what`: the image, as in "building …"
 * @returns undefined when it is there, else what went wrong
 */
export async function buildOnce(
  docker: Docker,
  { tag, base, recipe, what }: { tag: string; base: string; recipe: string; what: string },
  say: (line: string) => void,
): Promise<string | undefined> {
  if (await hasImage(docker, tag)) return undefined;
  say(`building ${what}`);
  const startedMs = performance.now();
  const files = [{ name: 'Dockerfile', content: Buffer.from(recipe) }];
  const failure = await buildImage(docker, { tag, base, files, hasNetwork: true });
  if (failure === undefined) say(`built ${tag} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  return failure;
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

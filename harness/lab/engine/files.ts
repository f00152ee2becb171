/** Files into and out of a container, through the engine's archive API: nothing is mounted from the user's machine. */
import { readdir, readFile } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import tar from 'tar-stream';
import { unlessRefused } from './engine-errors.ts';

/** A file to put into a container: an absolute path and what it holds, or where the link points. */
export type LabFile =
  | {
      readonly path: string;
      readonly content: string | Buffer;
      /** May it be run? Left out: no. */
      readonly isProgram?: boolean;
    }
  | { readonly path: string; readonly linkTo: string };

/** Reads every file under `folder` on this machine, as it would lie under `target` in the container. */
export async function filesUnder(
  folder: string,
  target: string,
  wanted: (relativePath: string) => boolean = () => true,
): Promise<LabFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll(sep, '/'));
  const sorted = paths.filter(wanted).sort();
  return Promise.all(
    sorted.map(async (path) => ({ path: posix.join(target, path), content: await readFile(join(folder, path)) })),
  );
}

/** Puts the files in place, with the folders they need; readable by all, owned by root. */
export async function putFiles(container: Docker.Container, files: readonly LabFile[]): Promise<void> {
  const pack = tar.pack();
  for (const file of files) {
    const header = { name: file.path.replace(/^\/+/u, ''), mode: 0o644, mtime: new Date(0) };
    if ('linkTo' in file) pack.entry({ ...header, type: 'symlink', linkname: file.linkTo });
    else pack.entry(file.isProgram === true ? { ...header, mode: 0o755 } : header, file.content);
  }
  pack.finalize();
  await container.putArchive(Readable.from(pack), { path: '/' });
}

/** Makes a container, puts these files into it and starts it, unless the run is cut short before. */
export async function startContainer(
  docker: Docker,
  options: Docker.ContainerCreateOptions,
  files: readonly LabFile[],
  signal: AbortSignal,
): Promise<Docker.Container> {
  const container = await docker.createContainer(options);
  await putFiles(container, files);
  signal.throwIfAborted();
  await container.start();
  return container;
}

/**
 * Streams one file out of a container into `receive`.
 * @returns false when there is no such file
 */
export async function getFile(
  container: Docker.Container,
  path: string,
  receive: (content: Readable) => Promise<void>,
): Promise<boolean> {
  const archive = await unlessRefused(container.getArchive({ path }), 404);
  if (archive === null) return false;
  let found = false;
  const extract = tar.extract();
  extract.on('entry', ({ type }, content, next) => {
    if (type !== 'file') {
      content.on('end', next).resume();
      return;
    }
    found = true;
    // When the content cannot be taken, the rest of the archive is not waited for.
    receive(content as unknown as Readable).then(() => next(), next);
  });
  await pipeline(archive, extract);
  return found;
}

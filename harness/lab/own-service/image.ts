/** The image that a service's Debian packages make of the lab's: built once for a list of packages, then found by its name. */
import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import { HarnessError } from '../../base/errors.ts';
import { buildImage, hasImage } from '../engine/build-image.ts';

const recipe = (packages: readonly string[]): string => `ARG BASE
FROM \${BASE}
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages.join(' ')} \\
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
`;

/**
 * The lab's image with these packages; built when the engine does not have it.
 * @param labImage the lab image's tag, which must be on the engine
 * @param say is told what takes long
 * @returns its tag; that of the lab's image where nothing is asked for
 * @throws {HarnessError} (exit code 4) with the last lines of the build
 */
export async function ensurePackages(
  docker: Docker,
  labImage: string,
  packages: readonly string[],
  say: (line: string) => void,
): Promise<string> {
  if (packages.length === 0) return labImage;
  const wanted = [...new Set(packages)].sort();
  const key = createHash('sha256')
    .update(`${labImage}\n${recipe(wanted)}`)
    .digest('hex')
    .slice(0, 12);
  const tag = `restart-proof/service:${key}`;
  if (await hasImage(docker, tag)) return tag;
  say(`building ${tag}, the lab's image with ${wanted.join(', ')}: once`);
  const startedMs = performance.now();
  const files = [{ name: 'Dockerfile', content: Buffer.from(recipe(wanted)) }];
  const failure = await buildImage(docker, { tag, base: labImage, files, hasNetwork: true });
  if (failure !== undefined) {
    throw new HarnessError('service-image-failed', `The Debian packages could not be installed: ${failure}`);
  }
  say(`built ${tag} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  return tag;
}

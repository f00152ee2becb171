/** The lab's image: which one this checkout needs, and how it is made. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { z } from 'zod';
import { labImageTag as imageTag } from '../../containers/image-tag.mjs';
import { HarnessError, messageOf } from '../base/errors.ts';

const dockerfileUrl = new URL('../../containers/lab/Dockerfile', import.meta.url);
const versionsUrl = new URL('../../containers/versions.json', import.meta.url);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/u);
const nodeSource = z.strictObject({ npmPackage: z.string(), sha256 });
const traefikSource = z.strictObject({ pipPlatform: z.string(), file: z.string(), sha256 });
/** A version of the proxy, for each architecture. */
export const traefikVersionSchema = z.strictObject({ version: z.string(), amd64: traefikSource, arm64: traefikSource });
const versionsSchema = z.strictObject({
  comment: z.string(),
  debian: z.string(),
  node: z.strictObject({ version: z.string(), amd64: nodeSource, arm64: nodeSource }),
  traefik: traefikVersionSchema,
});

/** What containers/versions.json says goes into the image. */
export type LabVersions = z.infer<typeof versionsSchema>;
/** Architectures that the lab can be built for, as engines name them. */
export type LabArchitecture = 'amd64' | 'arm64';

/** Reads containers/versions.json. */
export function labVersions(): LabVersions {
  return versionsSchema.parse(JSON.parse(readFileSync(versionsUrl, 'utf8')));
}

/** Path of the recipe on this machine. */
export const dockerfilePath = fileURLToPath(dockerfileUrl);

/**
 * The engine's architecture, if the lab can be built for it.
 * @throws {HarnessError} (exit code 4) if not
 */
export function labArchitecture(engineArchitecture: string): LabArchitecture {
  if (engineArchitecture === 'amd64' || engineArchitecture === 'arm64') return engineArchitecture;
  throw new HarnessError(
    'engine-architecture',
    `The lab has no image for the engine's architecture, ${engineArchitecture}.`,
  );
}

/** The image this checkout needs on an engine of this architecture. */
export function labImageTag(engineArchitecture: string): string {
  return imageTag(labArchitecture(engineArchitecture));
}

/** @throws {HarnessError} (exit code 4) when the engine does not have the image */
export async function requireImage(docker: Docker, image: string): Promise<void> {
  try {
    await docker.getImage(image).inspect();
  } catch (cause) {
    throw new HarnessError('image-missing', `The lab's image ${image} is not on this engine: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

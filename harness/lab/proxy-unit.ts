/** The proxy as a unit of the server, where it is the proxy that is restarted: its files, and another version of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { HarnessError, messageOf } from '../base/errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { otherProxyProgram, proxySettingsFile, proxyUnit, reloadMark } from '../experiment/units.ts';
import { fetchTraefik } from './engine/downloads.ts';
import { filesUnder, type LabFile } from './engine/files.ts';
import { labArchitecture, labVersions, traefikVersionSchema } from './image.ts';
import { enabledUnit } from './unit-files.ts';
import { cacheFolder, projectFolder } from '../project.mjs';

const upgradeFile = join(projectFolder, 'containers', 'proxy-upgrade.json');
const upgradeSchema = traefikVersionSchema.extend({ comment: z.string() });

/** Units, and what is enabled at boot; with the proxy's files (containers/edge) as this experiment has them. */
export async function filesOfProxyUnit(experiment: Experiment, ofEdge: readonly LabFile[]): Promise<LabFile[]> {
  const { unit } = experiment.proxy;
  if (unit === undefined) return [];
  return [
    ...(await filesUnder(join(projectFolder, 'containers', 'proxy-unit'), '/')),
    ...ofEdge.map((file) =>
      file.path === proxySettingsFile && 'content' in file
        ? { path: file.path, content: withLifeCycle(file.content.toString(), unit) }
        : file,
    ),
    enabledUnit('multi-user', proxyUnit.service),
    ...(unit.activation === 'socket' ? [enabledUnit('sockets', proxyUnit.socket)] : []),
  ];
}

/** The proxy's settings with how it leaves. */
function withLifeCycle(base: string, unit: NonNullable<Experiment['proxy']['unit']>): string {
  const document = parseDocument(base);
  document.setIn(['entryPoints', 'web', 'transport', 'lifeCycle'], {
    graceTimeOut: `${unit.graceTimeOutMs}ms`,
    requestAcceptGraceTimeout: `${unit.requestAcceptGraceMs}ms`,
  });
  return document.toString();
}

/** The proxy's file in two forms that serve alike, so that each reload has something to apply. */
export function reloadTexts(text: string): [string, string] {
  const other = parseDocument(text);
  other.setIn(['http', 'middlewares', reloadMark], { headers: { customRequestHeaders: { 'X-Reload': 'yes' } } });
  return [text, other.toString()];
}

/**
 * The program of another version of the proxy, where the experiment upgrades it; it is fetched once.
 * @throws {HarnessError} (exit code 4) when it cannot be had
 */
export async function filesOfUpgrade({ deploy }: Experiment, engineArchitecture: string): Promise<LabFile[]> {
  if (deploy.action !== 'proxy-upgrade') return [];
  const { version, amd64, arm64 } = upgradeSchema.parse(JSON.parse(await readFile(upgradeFile, 'utf8')));
  try {
    const cache = join(cacheFolder(), 'downloads');
    const versions = { ...labVersions(), traefik: { version, amd64, arm64 } };
    const program = await fetchTraefik(versions, labArchitecture(engineArchitecture), cache);
    return [{ path: otherProxyProgram, content: program }];
  } catch (cause) {
    throw new HarnessError(
      'proxy-upgrade-missing',
      `The upgrade takes Traefik ${version}, which could not be had: ${messageOf(cause)}`,
      { cause },
    );
  }
}

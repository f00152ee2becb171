/**
 * The lab of one run: `server` (systemd as PID 1), `edge` (the proxy, in the server's network namespace) and `client`
 * (the load generator), on a network of their own, each with the run's label.
 */
import { readFile } from 'node:fs/promises';
import { join, posix, resolve } from 'node:path';
import type Docker from 'dockerode';
import type { Experiment } from '../experiment/experiment.ts';
import type { OwnService } from '../experiment/own-service.ts';
import { clientOptions, controlOptions, edgeOptions, networkOptions, serverOptions } from './container-options.ts';
import { controlFiles, openControl, releasePlanOf, sshdFiles } from './control.ts';
import { ownerLabel, runLabel, type EngineFacts } from './engine/engine.ts';
import { exec } from './engine/exec.ts';
import { startBeside } from './own-service/beside.ts';
import { envPath, filesOfOwnPrograms, filesOfOwnUnits, type OwnServiceFiles } from './own-service/files.ts';
import { ensureServerImage } from './own-service/image.ts';
import { filesUnder, startContainer, type LabFile } from './engine/files.ts';
import { packageFiles } from './engine/npm-package.ts';
import { projectFolder } from '../project.mjs';
import { dynamicFile, withDates } from './proxy-config.ts';
import { filesOfProxyUnit, filesOfUpgrade, reloadTexts } from './proxy-unit.ts';
import { thisOwner } from './owner.ts';
import { untilLabReady } from './until-ready.ts';
import { keptLabel, removeRun } from './remove.ts';
import { proxyFile, proxySettingsFile, sitesOf, type Site } from '../experiment/units.ts';
import { enabledUnit, experimentFiles } from './unit-files.ts';

/** A lab whose site answers through the proxy. */
export interface Lab {
  readonly runId: string;
  readonly server: Docker.Container;
  /** The proxy; null in an experiment without one, or where it is a unit of the server. */
  readonly edge: Docker.Container | null;
  readonly client: Docker.Container;
  /** What the server runs from: the lab's image, or what a service of the user's own made of it. */
  readonly serverImage: string;
  /** Where Ansible runs; null where nothing is released. */
  readonly control: Docker.Container | null;
  readonly sites: readonly [Site, ...Site[]];
  /** The server's address on the lab's network, at which the client aims. */
  readonly serverAddress: string;
  /** The port of it that the load asks: the proxy's, or without one the site's own. */
  readonly targetPort: number;
  /** The files that make this lab what it is: units, drop-ins, env files, proxy files. */
  readonly files: readonly LabFile[];
  remove(): Promise<void>;
}

/** A service of the user's own as it may be written down, and what hides its secrets in its files. */
interface ShownService {
  readonly shown: OwnService;
  readonly hide: (text: string) => string;
}

interface LabOptions {
  readonly runId: string;
  readonly experiment: Experiment;
  /** The user's own service, where the experiment is about one; and as it may be written down. */
  readonly own: (OwnServiceFiles & ShownService) | null;
  /** The lab image's tag; in a lab that releases, that of the image with Ansible. */
  readonly image: string;
  readonly facts: EngineFacts;
  /** The most that are open at once. */
  readonly connections: number;
  /** It is to stand after its run. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
  /** Is told what takes long. */
  readonly say: (line: string) => void;
}

/**
 * Boots a lab and waits until it is ready. Whatever goes wrong, nothing of it is left behind.
 * @throws {HarnessError} (exit code 4) saying what was missing, with the last lines of the journal
 */
export async function bootLab(docker: Docker, options: LabOptions): Promise<Lab> {
  try {
    return await boot(docker, options);
  } catch (error) {
    await removeRun(docker, options.runId);
    throw error;
  }
}

async function boot(docker: Docker, options: LabOptions): Promise<Lab> {
  const { runId, experiment, own, image, facts, connections, signal } = options;
  const { tag: serverImage, settings: imageSettings } =
    own === null ? { tag: image, settings: null } : await ensureServerImage(docker, image, own, options.say);
  const labels = { [runLabel]: runId, [ownerLabel]: thisOwner, ...(options.keep ? { [keptLabel]: '' } : {}) };
  const name = (role: string): string => `restart-proof-${runId}-${role}`;
  const hasProxy = experiment.proxy.kind !== 'none';
  const release = experiment.deploy.action === 'release';
  const sites = sitesOf(experiment);
  const hasEdge = hasProxy && experiment.proxy.unit === undefined;
  const [serverFiles, edgeFiles, programFiles, harnessFiles, answerCheckFiles] = await Promise.all([
    filesOfServer(experiment, own && { ...own, imageSettings }),
    filesOfEdge(experiment, own),
    own === null ? filesOfPrograms(experiment, facts) : filesOfOwnPrograms(own),
    filesOfHarness(),
    // What an answer's JSON is held against is a path.
    own === null ? [] : packageFiles('json-p3', '/opt/harness'),
  ]);
  const proxyFiles = await proxyFilesVolume(docker, experiment, name('proxy-files'), labels);
  const network = await docker.createNetwork(networkOptions(name('net'), labels));
  signal.throwIfAborted();
  const start = (role: string, options: Docker.ContainerCreateOptions, files: readonly LabFile[]) => {
    const Image = role === 'server' ? serverImage : image;
    return startContainer(docker, { name: name(role), Image, Labels: labels, ...options }, files, signal);
  };
  const asked = { networkId: network.id, proxyFiles, connections, release, hasOwnImage: imageSettings !== null };
  const [server, client] = await Promise.all([
    start('server', serverOptions(facts, asked), [...serverFiles, ...programFiles, ...harnessFiles]),
    start('client', clientOptions(facts, asked), [...harnessFiles, ...answerCheckFiles]),
  ]);
  const serverId = server.id;
  const edge = hasEdge
    ? await start('edge', edgeOptions(facts, { serverId, proxyFiles, connections }), edgeFiles)
    : null;
  const control = release
    ? await start('control', controlOptions(facts, { serverId }), [
        ...harnessFiles,
        ...(await controlFiles(sites, releasePlanOf(experiment)?.variables)),
      ])
    : null;
  if (own !== null && own.service.containers.length > 0) {
    const setting = { facts, labImage: image, serverId, nameOf: name, labels, signal, say: options.say };
    await startBeside(docker, own, setting);
    await startUnits(server, experiment);
  }
  await Promise.all([
    untilLabReady({ server, edge }, experiment, signal),
    control === null ? undefined : openControl(server, control),
  ]);
  const { NetworkSettings } = await server.inspect();
  const serverAddress = NetworkSettings.Networks[name('net')]?.IPAddress;
  if (serverAddress === undefined) throw new Error('the engine gave the server no address');
  return {
    ...{ runId, server, edge, client, control, sites, serverAddress, serverImage },
    targetPort: hasProxy ? 80 : sites[0].colours[0].publicPort,
    files: own === null ? [...serverFiles, ...(hasEdge ? edgeFiles : [])] : await shownFiles(experiment, own),
    remove: () => removeRun(docker, runId),
  };
}

/** What may be read of the files of a lab: no secret, and nothing of a file that may be full of them. */
export async function shownFiles(
  experiment: Experiment,
  own: OwnServiceFiles & ShownService,
): Promise<readonly LabFile[]> {
  const hasEdge = experiment.proxy.kind !== 'none' && experiment.proxy.unit === undefined;
  const files = [
    ...(await filesOfServer(experiment, { ...own, service: own.shown })),
    ...(hasEdge ? await filesOfEdge(experiment, own) : []),
  ];
  const { env } = own.service;
  return files
    .filter(({ path }) => env === undefined || path !== envPath(env))
    .map((file) => ('content' in file ? { ...file, content: own.hide(file.content.toString()) } : file));
}

async function startUnits(server: Docker.Container, experiment: Experiment): Promise<void> {
  const [{ service, socket }] = sitesOf(experiment)[0].colours;
  await exec(server, ['systemctl', 'start', ...(experiment.unit.activation === 'socket' ? [socket] : []), service]);
}

/** Source files that run in the lab; tests stay outside. */
function isSource(path: string): boolean {
  return path.endsWith('.ts') && !path.endsWith('.test.ts');
}

/**
 * The sites' program, as a release puts it there: a folder of its own, and the one path that all sites start it from; and the
 * proxy's, where it is upgraded.
 */
async function filesOfPrograms(experiment: Experiment, { architecture }: EngineFacts): Promise<LabFile[]> {
  const release = '/opt/releases/v0';
  const files = await filesUnder(join(projectFolder, 'app-under-test'), release, isSource);
  return [...files, { path: '/opt/site', linkTo: release }, ...(await filesOfUpgrade(experiment, architecture))];
}

/** The files that an experiment puts on the server: units, drop-ins, env files, and what is enabled at boot. */
export async function filesOfServer(experiment: Experiment, own: OwnServiceFiles | null = null): Promise<LabFile[]> {
  const files = await filesUnder(join(projectFolder, 'containers', 'server'), '/');
  if (own !== null) {
    const journald = files.filter(({ path }) => path.startsWith('/etc/systemd/journald.conf.d/'));
    return [...journald, ...(await filesOfOwnUnits(experiment, own))];
  }
  if (experiment.deploy.action === 'release') files.push(...(await sshdFiles()));
  if (experiment.proxy.unit !== undefined) {
    files.push(...(await filesOfProxyUnit(experiment, await filesOfEdge(experiment))));
  }
  if (experiment.unit.activation === 'shared') files.push(...(await filesOfOneSocket(experiment.unit)));
  const sites = sitesOf(experiment);
  const further = sites.slice(1).flatMap((site, index) => furtherSite(files, site, index + 1));
  const enabled = sites.flatMap((site) => enabledAtBoot(experiment, site));
  // Of two files of one path the later counts: colours of one socket have the same drop-in.
  const all = [...files, ...further, ...experimentFiles(experiment), ...enabled];
  return [...new Map(all.map((file) => [file.path, file])).values()];
}

/** What `systemctl enable` does; the second colour is idle at first. */
function enabledAtBoot({ unit }: Experiment, { holder, colours: [first] }: Site): LabFile[] {
  return [
    enabledUnit('multi-user', first.service, 'site@.service'),
    ...(unit.activation === 'none' ? [] : [enabledUnit('sockets', first.socket, 'site@.socket')]),
    ...(unit.activation === 'both' ? [enabledUnit('sockets', first.internalSocket, 'site-internal@.socket')] : []),
    ...(unit.activation === 'shared' && unit.leftOut !== 'holder'
      ? [enabledUnit('multi-user', holder, 'site-holder@.service')]
      : []),
  ];
}

/** The files of one site more: as those of the first, with its own name, and its ports so many further. */
function furtherSite(files: readonly LabFile[], { name }: Site, by: number): LabFile[] {
  const renamed = (text: string): string =>
    text.replace(/\bdemo\b/gu, name).replace(/\b1[89][01]80\b/gu, (port) => String(Number(port) + by));
  return files.flatMap((file) =>
    'content' in file && /\bdemo\b/u.test(file.path)
      ? [{ path: renamed(file.path), content: renamed(file.content.toString()) }]
      : [],
  );
}

/** What makes two colours share one socket, but for what is left out to see what it is for. */
async function filesOfOneSocket({ leftOut }: Experiment['unit']): Promise<LabFile[]> {
  const files = await filesUnder(join(projectFolder, 'containers', 'one-socket'), '/');
  const left = {
    holder: /\/20-holder\.conf$/u,
    // The colour that serves at first has it, or nothing would serve.
    sockets: /-green\.service\.d\/20-socket\.conf$/u,
    'no-start-limit': /\/30-no-start-limit\.conf$/u,
  };
  return leftOut === undefined ? files : files.filter(({ path }) => !left[leftOut].test(path));
}

/** The proxy's files. */
export async function filesOfEdge(experiment: Experiment, own: OwnServiceFiles | null = null): Promise<LabFile[]> {
  const files = await filesUnder(join(projectFolder, 'containers', 'edge'), '/');
  const usersOwn = own?.service.proxy === undefined ? null : await readFile(resolve(own.folder, own.service.proxy));
  return files.map((file) => {
    if (!('content' in file)) return file;
    if (own !== null && file.path === proxySettingsFile) {
      return { path: file.path, content: withDates(file.content.toString()) };
    }
    if (file.path !== proxyFile) return file;
    return { path: file.path, content: usersOwn ?? dynamicFile(file.content.toString(), experiment) };
  });
}

/** The text of the proxy's file for each colour that may be the active one; for a reload, two that serve alike. */
export async function proxyFileTexts(experiment: Experiment): Promise<string[]> {
  const path = join(projectFolder, 'containers', 'edge', proxyFile);
  const base = await readFile(path, 'utf8');
  if (experiment.deploy.action === 'proxy-reload') return reloadTexts(dynamicFile(base, experiment));
  return sitesOf(experiment)[0].colours.map((_, index) => dynamicFile(base, experiment, index));
}

/**
 * Where a deploy on the server rewrites the proxy's file, both containers see one folder: a volume of the run's own.
 * @returns what to mount; nothing where no file is rewritten
 */
async function proxyFilesVolume(
  docker: Docker,
  { proxy, deploy }: Experiment,
  name: string,
  labels: Record<string, string>,
): Promise<string[]> {
  if (proxy.cutover === 'check' && deploy.action !== 'release') return [];
  await docker.createVolume({ Name: name, Driver: 'local', Labels: labels });
  return [`${name}:${posix.dirname(proxyFile)}`];
}

/** The harness's own programs that run inside the lab, at the paths they have here. */
export async function filesOfHarness(): Promise<LabFile[]> {
  const inLab = /^(in-lab|run|experiment|base)\//u;
  return filesUnder(join(projectFolder, 'harness'), '/opt/harness', (path) => isSource(path) && inLab.test(path));
}

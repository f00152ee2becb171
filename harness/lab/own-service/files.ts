/** What a service of the user's own puts on the lab's server: its files and units as they are, and drop-ins beside them. */
import { lstat, readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, join, posix, resolve } from 'node:path';
import type { Experiment } from '../../experiment/experiment.ts';
import { filledIn, type OwnService, type Placeholder } from '../../experiment/own-service.ts';
import { sitesOf, type Colour } from '../../experiment/units.ts';
import type { LabFile } from '../engine/files.ts';
import { dropInOf, enabledUnit, socketSettings, unitFile, unitsFolder } from '../unit-files.ts';
import type { ImageSettings } from './image.ts';

/** A service, and the folder from which its files are looked for. */
export interface OwnServiceFiles {
  /** As it is started, with its secrets. */
  readonly service: OwnService;
  readonly folder: string;
  /** Where a field of its file is, and what it is called: `service.yaml:3:5: packages.0`. */
  readonly labelOf: (...path: PropertyKey[]) => string;
  /** Of an image of the user's, how its program is run. */
  readonly imageSettings?: ImageSettings | null;
}

const ownFolder = '/etc/restart-proof';

/** Units, drop-ins and env files, as `--dry-run` shows them. */
export async function filesOfOwnUnits(experiment: Experiment, asked: OwnServiceFiles): Promise<LabFile[]> {
  // What is changed of the unit is known of the experiment, and not of the file.
  const unitChanges = experiment.service?.unitChanges ?? [];
  const own = { ...asked, service: { ...asked.service, unitChanges } };
  const [site] = sitesOf(experiment);
  const files = await Promise.all(site.colours.map((colour) => filesOfColour(experiment, own, colour)));
  const { env, unit } = own.service;
  const [first] = site.colours;
  // A server beside it must be there first: then the lab starts what is enabled here otherwise.
  const isHeld = own.service.containers.length > 0;
  return [
    ...files.flat(),
    ...(env === undefined ? [] : [{ path: envPath(env), content: await readFile(resolve(own.folder, env)) }]),
    ...(unit === undefined ? [] : accountsOf(await readFile(resolve(own.folder, unit), 'utf8'))),
    ...(isHeld ? [] : [enabledUnit('multi-user', first.service)]),
    ...(isHeld || experiment.unit.activation !== 'socket' ? [] : [enabledUnit('sockets', first.socket)]),
  ];
}

/** Where the user's file of variables lies on the server. */
export function envPath(env: string): string {
  return posix.join(ownFolder, basename(env));
}

function valuesFor({ app, proxy }: Experiment, service: OwnService, colour: Colour): Record<Placeholder, string> {
  // Without a proxy the load comes from outside the server.
  const host = proxy.kind === 'none' ? '0.0.0.0' : (service.public.split(':')[0] ?? '');
  return {
    public: `${host}:${colour.publicPort}`,
    publicPort: String(colour.publicPort),
    internal: `127.0.0.1:${colour.internalPort}`,
    internalPort: String(colour.internalPort),
    database: service.database ?? '',
    version: 'v0',
    graceMs: String(app.graceMs),
    shutdownTimeoutMs: String(app.shutdownTimeoutMs),
    warmupMs: String(app.warmupMs),
  };
}

async function filesOfColour(experiment: Experiment, own: OwnServiceFiles, colour: Colour): Promise<LabFile[]> {
  const { service, folder, imageSettings = null } = own;
  const values = valuesFor(experiment, service, colour);
  const main =
    service.unit === undefined
      ? startUnit(service, filledIn(service.start ?? '', values), imageSettings)
      : await readFile(resolve(folder, service.unit));
  const ofImages = (imageSettings?.environment ?? []).map(ofImage).join('');
  const files: LabFile[] = [
    { path: `${unitsFolder}/${colour.service}`, content: main },
    { path: colour.envFile, content: ofImages + variables(service.environment, values) },
    {
      path: colour.releaseFile,
      content: releaseEnvironment(experiment, service, colour).replaceAll('{version}', 'v0'),
    },
    { path: dropInOf(colour.service), content: serviceDropIn(experiment, service, colour) },
  ];
  if (experiment.unit.activation === 'none') return files;
  const socket =
    service.socket === undefined ? startSocket(service, colour) : await readFile(resolve(folder, service.socket));
  return [
    ...files,
    { path: `${unitsFolder}/${colour.socket}`, content: socket },
    ...socketDropIn(experiment, service, colour),
  ];
}

/** A variable of an image, `NAME=value`. */
function ofImage(text: string): string {
  const equals = text.indexOf('=');
  return variable(text.slice(0, equals), text.slice(equals + 1));
}

/** A line of an EnvironmentFile=. */
function variable(name: string, value: string): string {
  return `${name}="${value.replaceAll(/["\\$`]/gu, String.raw`\$&`)}"\n`;
}

function variables(environment: Readonly<Record<string, string>>, values: Record<Placeholder, string>): string {
  return Object.entries(environment)
    .map(([name, text]) => variable(name, filledIn(text, values)))
    .join('');
}

/** What a release sets, `{version}` left in it. */
export function releaseEnvironment(experiment: Experiment, service: OwnService, colour: Colour): string {
  if (service.release === undefined || !('environment' in service.release)) return '';
  const values = { ...valuesFor(experiment, service, colour), version: '{version}' };
  return variables(service.release.environment, values);
}

function startUnit(service: OwnService, start: string, image: ImageSettings | null): string {
  return unitFile(`${service.name}, as its service.yaml describes it.`, {
    Unit: { Description: service.name },
    Service: {
      Type: 'simple',
      // A percent sign is a specifier of systemd's.
      ExecStart: start.replaceAll('%', '%%'),
      WorkingDirectory: image === null ? `-/opt/${service.name}` : image.workingFolder || '/',
      ...(image !== null && image.user !== '' && image.user !== 'root' && { User: image.user.split(':')[0] ?? '' }),
      StateDirectory: service.name,
      KillSignal: 'SIGTERM',
    },
    Install: { WantedBy: 'multi-user.target' },
  });
}

function startSocket(service: OwnService, colour: Colour): string {
  return unitFile(`The port of ${service.name}, owned by systemd: it outlives a restart of its service.`, {
    Unit: { Description: `Public port of ${service.name}` },
    Socket: {
      ListenStream: `${service.public.split(':')[0]}:${colour.publicPort}`,
      Service: colour.service,
      NoDelay: 'yes',
    },
    Install: { WantedBy: 'sockets.target' },
  });
}

/** Over the user's own unit goes only what the experiment must change, and what a variant or --set asks for. */
function serviceDropIn({ id, unit }: Experiment, service: OwnService, colour: Colour): string {
  const isSet = (name: string): boolean => service.unit === undefined || service.unitChanges.includes(name);
  return unitFile(`What experiment ${id} sets.`, {
    // The deploys of a run come faster than systemd allows unless it is told.
    Unit: { StartLimitIntervalSec: '10', StartLimitBurst: String(unit.startLimitBurst) },
    Service: {
      EnvironmentFile: [
        ...(service.env === undefined ? [] : [envPath(service.env)]),
        colour.envFile,
        `-${colour.releaseFile}`,
      ],
      ...(isSet('timeoutStopSec') && { TimeoutStopSec: String(unit.timeoutStopSec) }),
      ...(isSet('killMode') && { KillMode: unit.killMode }),
      ...(isSet('restart') && { Restart: unit.restart }),
    },
  });
}

function socketDropIn(experiment: Experiment, service: OwnService, colour: Colour): LabFile[] {
  const isSet = (name: string): boolean => service.socket === undefined || service.unitChanges.includes(name);
  const settings = socketSettings(experiment, colour, isSet);
  const isEmpty = Object.values(settings).every((section) => Object.keys(section).length === 0);
  const content = unitFile(`What experiment ${experiment.id} sets.`, settings);
  return isEmpty ? [] : [{ path: dropInOf(colour.socket), content }];
}

/** The programs: `files`, and the folders of its releases. */
export async function filesOfOwnPrograms({ service, folder }: OwnServiceFiles): Promise<LabFile[]> {
  const home = `/opt/${service.name}`;
  const copied = await Promise.all(
    service.files.map(async (file) => {
      const { from, to } = typeof file === 'string' ? { from: file, to: undefined } : file;
      const source = resolve(folder, from);
      return treeOf(await realpath(source), targetOf(to, basename(source), home));
    }),
  );
  const { release } = service;
  if (release === undefined || !('link' in release)) return copied.flat();
  const folders = await Promise.all(
    release.folders.map(async (from) => treeOf(await realpath(resolve(folder, from)), releaseFolder(service, from))),
  );
  return [
    ...copied.flat(),
    ...folders.flat(),
    { path: release.link, linkTo: releaseFolder(service, release.folders[0] ?? '') },
  ];
}

/** Where a release's folder lies on the server. */
export function releaseFolder({ name }: OwnService, from: string): string {
  return posix.join('/opt', name, 'releases', basename(from));
}

/** A path that ends with a slash is a folder that gets it under its own name. */
function targetOf(to: string | undefined, name: string, home: string): string {
  if (to === undefined) return posix.join(home, name);
  return to.endsWith('/') ? posix.join(to, name) : to;
}

/** A file, or a folder with all below it: who may run it and links in it stay as they are, as its hash has them. */
async function treeOf(source: string, target: string): Promise<LabFile[]> {
  const found = await lstat(source);
  if (found.isDirectory()) {
    const names = (await readdir(source)).sort();
    return (await Promise.all(names.map((name) => treeOf(join(source, name), posix.join(target, name))))).flat();
  }
  if (found.isSymbolicLink()) return [{ path: target, linkTo: await readlink(source) }];
  if (!found.isFile()) return [];
  return [{ path: target, content: await readFile(source), isProgram: (found.mode & 0o111) !== 0 }];
}

/**
 * The accounts that a user's own unit runs under, which systemd-sysusers makes at boot; one that is there already stays. The
 * lab's server has those of Debian and of its packages alone.
 */
export function accountsOf(unit: string): LabFile[] {
  const valuesOf = (name: string): string[] => [
    ...new Set(
      [...unit.matchAll(new RegExp(String.raw`^\s*${name}\s*=(.*)$`, 'gmu'))]
        .flatMap(([, value = '']) => value.trim().split(/\s+/u))
        .filter((each) => /^[A-Za-z_][\w-]{0,30}$/u.test(each)),
    ),
  ];
  // Its user is made by systemd itself.
  if (valuesOf('DynamicUser').some((each) => /^(?:yes|true|on)$/iu.test(each))) return [];
  const lines = [
    ...[...valuesOf('Group'), ...valuesOf('SupplementaryGroups')].map((name) => `g ${name} -\n`),
    ...valuesOf('User').map((name) => `u ${name} -\n`),
  ];
  return lines.length === 0 ? [] : [{ path: '/etc/sysusers.d/own-service.conf', content: lines.join('') }];
}

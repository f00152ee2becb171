/**
 * A service of the user's own in the lab, as its service.yaml describes it: what runs, how it is asked, what a release is.
 * What each field means stands where editors get it from, in harness/own-service/json-schema.ts.
 */
import { z } from 'zod';
import { didYouMean } from '../base/nearest.ts';
import { portsOfProxy } from './ports.ts';
import { requestSchema } from './service.ts';

/** Names a unit, a folder and a domain. */
const nameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/u, 'must be lower case, digits and dashes, at most 31 letters, a letter first');
const mustBePath = 'must be an absolute path on the server, without .. in it and / at its end';
/** Patterns say \x00 and not \p{Cc}: they stand in a JSON Schema, too, and not every reader of it knows the latter. */
const absolutePath = z
  .string()
  .regex(/^(\/[^/\x00-\x1f\x7f]+)+$/u, mustBePath)
  .refine((path) => !/\/\.{1,2}(\/|$)/u.test(path), mustBePath);
/** Relative to the file that names it. */
const ownFile = z.string().min(1);
const urlPath = z.string().startsWith('/', 'must begin with /');
const variables = z.record(
  z.string().regex(/^[A-Za-z_]\w*$/u, 'is no name of a variable'),
  z.string().regex(/^[^\x00-\x1f\x7f]*$/u, 'must be one line'),
);
const address = z
  .string()
  .regex(/^(127\.0\.0\.1|0\.0\.0\.0):\d{1,5}$/u, 'must be 127.0.0.1:PORT, or 0.0.0.0:PORT')
  .refine((text) => {
    const port = Number(text.split(':')[1]);
    return port >= 1 && port <= 65_535;
  }, 'its port must be from 1 to 65535');

const packageSchema = z.string().regex(/^[a-z0-9][a-z0-9+.-]+(=[\w.+:~-]+)?$/u, 'is no name of a Debian package');

const fileSchema = z.strictObject({
  from: ownFile,
  /** Where it goes; left out: /opt/<name>/ and its own name. */
  to: absolutePath.optional(),
});

const healthSchema = z.strictObject({
  live: urlPath.optional(),
  ready: urlPath.optional(),
});

const versionSchema = z.union([
  z.strictObject({ header: z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u, 'is no name of a header') }),
  z.strictObject({ path: urlPath }),
]);

/** Asked when everything has stopped; a URL, while it still runs. */
const writesSchema = z.union([
  z.strictObject({
    requests: z.array(z.string()).min(1),
    sql: z.string().min(1),
    database: absolutePath.optional(),
  }),
  z.strictObject({
    requests: z.array(z.string()).min(1),
    url: urlPath.regex(/\{id\}/u, 'must hold {id}'),
  }),
  z.strictObject({
    requests: z.array(z.string()).min(1),
    command: z.string().min(1),
  }),
]);

const releaseSchema = z.union([
  z.strictObject({ environment: variables }),
  z.strictObject({ link: absolutePath, folders: z.array(ownFile).min(1) }),
  z.strictObject({ command: z.string().min(1) }),
]);

/** A server of its own beside the service, such as PostgreSQL; it shares the network of the lab's server. */
const containerSchema = z.strictObject({
  name: nameSchema,
  image: z.string().min(1).optional(),
  packages: z.array(packageSchema).min(1).optional(),
  environment: variables.default({}),
  start: z.string().min(1).optional(),
  ready: z.string().min(1).optional(),
});

/** As it is written, but for its requests, which are read as those of `measure`. */
export const writtenServiceShape = z.strictObject({
  name: nameSchema,
  files: z.array(z.union([ownFile, fileSchema])).default([]),
  packages: z.array(packageSchema).default([]),
  image: z.string().min(1).optional(),
  start: z
    .string()
    .trim()
    .min(1)
    .regex(/^[^\x00-\x1f\x7f]*$/u, 'must be one line: in YAML, >- makes one of several')
    .regex(/^[^#]/u, 'is only a comment: write the command line that runs the service')
    .optional(),
  unit: ownFile.optional(),
  socket: ownFile.optional(),
  env: ownFile.optional(),
  environment: variables.default({}),
  public: address.default('127.0.0.1:18080'),
  internal: address.optional(),
  listens: z.enum(['itself', 'inherits', 'either']).default('itself'),
  host: z
    .string()
    .regex(/^[\w.-]+$/u, 'must be a host name')
    .optional(),
  health: healthSchema.default({}),
  version: versionSchema.optional(),
  database: absolutePath.optional(),
  writes: writesSchema.optional(),
  release: releaseSchema.optional(),
  proxy: ownFile.optional(),
  containers: z.array(containerSchema).default([]),
});

/** What is filled into `start`, `environment`, `ready` commands and the like, and what each stands for. */
export const placeholders = {
  public: 'address and port where it is to take requests',
  publicPort: 'the port alone',
  internal: 'address and port where it is to answer health checks',
  internalPort: 'the port alone',
  database: 'the SQLite file',
  version: 'the version that the deploy brings: v0 at first, then v1, v2 …',
  graceMs: 'how long it is to go on serving after SIGTERM, ms (app.graceMs of the experiment)',
  shutdownTimeoutMs: 'how long its graceful shutdown may take, ms (app.shutdownTimeoutMs)',
  warmupMs: 'how long it is to warm up, ms (app.warmupMs)',
} as const;

/** Name of a placeholder. */
export type Placeholder = keyof typeof placeholders;

/** `${NAME}` is a variable: of this machine where the file is read, or of the unit. */
const placeholderForm = /\$\{\w+\}|\{\{\w+\}\}|\{([A-Za-z]\w*)\}/gu;

/** Fills in `{name}`; `{{name}}` stands for `{name}` itself. */
export function filledIn(text: string, values: Readonly<Partial<Record<string, string>>>): string {
  return text.replace(placeholderForm, (whole, name: string | undefined) =>
    name !== undefined ? (values[name] ?? whole) : whole.startsWith('{') ? whole.slice(1, -1) : whole,
  );
}

/** The placeholders that stand in a text. */
function placeholdersIn(text: string): string[] {
  return [...text.matchAll(placeholderForm)].flatMap(([, name]) => name ?? []);
}

type Shape = z.infer<typeof writtenServiceShape>;

type Path = (string | number)[];

/** Texts of a description in which placeholders are filled in, by their paths. */
function filledTexts({ start, environment, release = { environment: {} } }: Shape): [path: Path, text: string][] {
  const texts = (variables: Readonly<Record<string, string>>, ...path: Path): [Path, string][] =>
    Object.entries(variables).map(([name, text]) => [[...path, name], text]);
  return [
    ...texts(start === undefined ? {} : { start }),
    ...texts(environment, 'environment'),
    ...('environment' in release ? texts(release.environment, 'release', 'environment') : []),
    ...('command' in release ? texts({ command: release.command }, 'release') : []),
  ];
}

/** Is this told to the service, by `{name}` somewhere in its description? */
export function isTold(service: Shape, name: Placeholder): boolean {
  return filledTexts(service).some(([, text]) => placeholdersIn(text).includes(name));
}

/** Refuses what cannot be together; each at its field. */
export function refuseContradictions(service: Shape, context: z.core.$RefinementCtx): void {
  const wrong = (path: Path, message: string): void =>
    context.addIssue({ code: 'custom', path, message, input: service });
  const { start, unit, socket, image, containers, writes, database, files, release } = service;
  if (start === undefined && unit === undefined) wrong([], 'needs start (a command line) or unit (your own unit file)');
  if (start !== undefined && unit !== undefined)
    wrong(['unit'], 'start and unit are two ways to say what runs: take one');
  if (socket !== undefined && unit === undefined)
    wrong(['socket'], 'goes with your own unit; with start, listens says what it takes');
  else if (socket !== undefined && service.listens === 'itself')
    wrong(['socket'], 'needs listens: inherits (it serves fd 3 only), or listens: either');
  if (image !== undefined && unit !== undefined)
    wrong(['image'], 'goes with start: your own unit names its own RootDirectory=');
  for (const field of ['public', 'internal'] as const) {
    const port = service[field]?.split(':')[1] ?? '';
    if (portsOfProxy.includes(Number(port))) wrong([field], `port ${port} is the proxy's: take another`);
    else if (field === 'internal' && port === service.public.split(':')[1])
      wrong([field], 'is the port of public: leave it out where health is asked there, too');
  }
  for (const [index, { name, image: own, packages }] of containers.entries()) {
    if (containers.findIndex((other) => other.name === name) < index) {
      wrong(['containers', index, 'name'], `another container is called ${name}`);
    }
    if ((own === undefined) === (packages === undefined)) {
      wrong(['containers', index], 'needs either image or packages');
    }
  }
  if (writes !== undefined && 'sql' in writes && (writes.database ?? database) === undefined) {
    wrong(['writes', 'sql'], 'needs database: the SQLite file that is asked');
  }
  const link = release !== undefined && 'link' in release ? release.link : undefined;
  if (files.some((file) => typeof file !== 'string' && file.to !== undefined && file.to === link)) {
    wrong(['release', 'link'], 'files puts something at this path, too');
  }
  for (const [path, text] of filledTexts(service)) {
    const named = placeholdersIn(text);
    if (path[0] !== 'release' && named.includes('version')) {
      wrong(path, '{version} is what a release changes: put it into release.environment or release.command');
    }
    const unknown = named.find((name) => !Object.hasOwn(placeholders, name));
    if (unknown !== undefined) {
      const names = Object.keys(placeholders);
      const hint = didYouMean(unknown, names) || `There are ${names.map((name) => `{${name}}`).join(', ')}. `;
      wrong(path, `{${unknown}} is not filled in; {{${unknown}}} stands for itself. ${hint}`.trim());
    }
    if (named.includes('database') && database === undefined)
      wrong(path, '{database} needs database: the path of the file');
  }
}

/** As a run records it: nothing secret stands in it. */
export const ownServiceSchema = writtenServiceShape.extend({
  /** The requests of the load; those of the file, as they may be shown. */
  requests: z.array(requestSchema).min(1),
  /** SHA-256 over all files that are copied, so that a run says which program it was about. */
  contents: z.string(),
  /** Fields of the experiment's unit that a variant or --set changed: only these go over the user's own unit. */
  unitChanges: z.array(z.string()).default([]),
});

/** A service of the user's own in the lab. */
export type OwnService = z.infer<typeof ownServiceSchema>;

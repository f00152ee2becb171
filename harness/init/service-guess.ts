/** What the files of a project say of how its service is started on a server: for service.yaml. Pure. */
import { basename } from 'node:path';
import { firstOf, healthNames, source, type Clue, type Guess, type Pattern } from './guess.ts';
import type { Folder, ProjectFile } from './folder.ts';

/** A file or folder that is copied; without `to` it goes to /opt/NAME/. */
export interface CopiedFile {
  readonly from: string;
  readonly to?: string;
}

/** How a service is started. */
interface Run {
  /** What kind of project it is, and from what one sees it. */
  readonly kind: Clue;
  readonly files: readonly CopiedFile[];
  readonly start: Clue | null;
  /** The command that makes the files, where they are made. */
  readonly build?: string | null;
  readonly packages?: readonly string[];
  /** Needed by the project, and not known as Debian packages. */
  readonly unknownPackages?: readonly string[];
  readonly image?: string;
  readonly unit?: string;
  readonly socket?: string;
}

const word = String.raw`[\w./:=@,+-]+`;
/** Nothing that only a shell understands, and nothing that YAML, systemd or a placeholder would change. */
const plainCommand = new RegExp(`^${word}(?: ${word})*$`, 'u');
const portVariables: readonly Pattern[] = [
  [source, /\b(?:process\.env|environ|getenv|Getenv|LookupEnv|env::var|ENV)\b.{0,12}\b(PORT)\b/u],
  [source, /\{ ?(PORT)\b.{0,20}\} = process\.env/u],
  [/^Procfile$/u, /(\$\{?PORT\b)/u],
];
const goFlag =
  /\bflag\.(?:String|Int)(?:Var)?\((?:&\w+(?:\.\w+)*,\s*)?"((?:listen-?)?(?:addr|address|listen|bind|http|port))"/u;
const route = /(?:\.(?:get|GET|route)|HandleFunc|Handle|@GetMapping)\(\s*["'`](?:GET )?(\/[\w./-]{0,60})["'`]/u;
const post = /(?:\.(?:post|POST)\(\s*["'`]|["'`]POST )(\/[\w./-]{0,60})["'`]/u;
const versionHeader = /["'`](X-(?:[A-Za-z]+-)?Version)["'`]/u;
const versionVariable = /\b(?:process\.env\.|environ\b.{0,6}["']|[gG]etenv\(["']|LookupEnv\(")((?:[A-Z]+_)?VERSION)\b/u;
const isHealth = new RegExp(`/(?:${healthNames.join('|')})/?$`, 'u');

const goInternalFlag = /\bflag\.(?:String|Int)(?:Var)?\((?:&\w+(?:\.\w+)*,\s*)?"((?:internal|health|admin)[a-z-]*)"/u;

/** Names at the top of a project that no service needs to run. */
const notRun =
  /^(?:\..*|(?:__)?tests?(?:__)?|specs?|docs?|examples?|coverage|reports|deploy|scripts|bin|venv|env|__pycache__|LICEN[CS]E.*|.*\.(?:md|rst|lock|log|tgz|pyc|service|socket|timer|sh|tsbuildinfo)|(?:docker-)?compose.*|Dockerfile.*|Makefile|Procfile|go\.(?:mod|sum)|package-lock\.json|restart-proof.*|service\.yaml|(?:ts|js)config.*|(?:eslint|prettier|jest|vitest|tox|mypy|pytest)\..*|requirements.*\.txt|pyproject\.toml|setup\.(?:py|cfg))$/iu;
const mostNames = 20;

/** Python packages by their names at PyPI, as Debian has them. */
const debianOf: Readonly<Record<string, string>> = {
  ...{ gunicorn: 'gunicorn', uvicorn: 'uvicorn', hypercorn: 'hypercorn', psycopg2: 'python3-psycopg2' },
  ...{ 'psycopg2-binary': 'python3-psycopg2', psycopg: 'python3-psycopg', pyyaml: 'python3-yaml' },
  ...Object.fromEntries(
    'flask django fastapi starlette aiohttp tornado requests httpx sqlalchemy redis jinja2 pydantic werkzeug bottle falcon'
      .split(' ')
      .map((name) => [name, `python3-${name}`]),
  ),
};
/** Debian packages of programs that a unit starts. */
const packageOf: Readonly<Record<string, string>> = {
  ...{ python3: 'python3', python: 'python3', gunicorn: 'gunicorn', uvicorn: 'uvicorn', node: 'nodejs' },
  ...{ java: 'default-jre-headless', ruby: 'ruby', php: 'php-cli', perl: 'perl' },
};

/** How a service is run in the lab; what was not found is null, or empty. */
export type GuessedRun = ReturnType<typeof guessRun>;

/** Looks at what was read, for the first of the services that were found. */
export function guessRun(folder: Folder, { services: [service] }: Guess) {
  const { files } = folder;
  const name = plainName(service?.name.value ?? folder.name);
  const unknown = { value: 'not known', from: 'no unit, go.mod, package.json …' };
  const run: Run = ofUnit(folder, service?.unit) ??
    ofGo(folder, name) ??
    ofNode(folder, name) ??
    ofPython(folder, name) ??
    ofDockerfile(folder, name) ?? { kind: unknown, files: [], start: null };
  const health = (names: readonly string[]): Clue | null =>
    firstOf(files, [
      [source, new RegExp(`["'\`](?:GET )?((?:/[\\w-]{1,30}){0,3}/(?:${names.join('|')})/?)["'\`]`, 'u')],
    ]);
  const live = health(['livez?']) ?? health(healthNames);
  return {
    name,
    ...{ build: null, packages: [], unknownPackages: [], image: null, unit: null, socket: null },
    ...run,
    // It takes its port from the variable PORT.
    portVariable: run.unit === undefined ? firstOf(files, portVariables) : null,
    port: service?.port ?? null,
    live,
    ready: health(['readyz?']) ?? live,
    route: firstOf(files, [[source, route]], (path) => !isHealth.test(path)),
    post: firstOf(files, [[source, post]]),
    // It takes a socket that it inherits.
    inherits: firstOf(files, [[source, /\b(LISTEN_FDS|sd_listen_fds|go-systemd\/\S*activation)\b/u]]),
    // The header that tells its version, and the variable that tells it the version.
    versionHeader: firstOf(files, [[source, versionHeader]]),
    versionVariable: firstOf(files, [[source, versionVariable]]),
  };
}

/** A name that service.yaml takes. */
function plainName(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replace(/^[^a-z]+/u, '');
  return plain.slice(0, 31).replace(/-+$/u, '') || 'service';
}

function ofUnit(folder: Folder, unit: string | undefined): Run | null {
  const file = folder.files.find(({ path }) => unit !== undefined && basename(path) === `${unit}.service`);
  if (file === undefined) return null;
  const valueOf = (name: string): string | undefined =>
    file.lines
      .findLast((line) => line.startsWith(`${name}=`))
      ?.replace(/^\w+=/u, '')
      .trim();
  const socket = folder.files.find(({ path }) => path === file.path.replace(/\.service$/u, '.socket'));
  const words = (valueOf('ExecStart') ?? '').replace(/^[@\-:+!|]+/u, '').split(/\s+/u);
  const [program = ''] = words;
  const isOwn = (path: string): boolean =>
    /^\/(?:opt|srv|home|app|usr\/local)\/[\w./-]+$/u.test(path) && !path.endsWith('/');
  const own = words.filter(isOwn).filter((path) => !(path in packageOf));
  const home = valueOf('WorkingDirectory');
  const copied = [...new Set(own)].map((to) => ({ from: sourceOf(folder, to), to }));
  const ownPackage = packageOf[basename(program)];
  const beside =
    ownPackage !== undefined && home !== undefined && isOwn(home)
      ? namesToRun(folder).map((from) => ({ from, to: `${home}/${from}` }))
      : [];
  const python = /python|gunicorn|uvicorn/u.test(program) ? pythonPackages(folder) : null;
  return {
    kind: { value: 'a unit of its own', from: file.path },
    files: [...copied, ...beside.filter(({ to }) => !copied.some((each) => each.to === to))],
    build: copied.some(({ from }) => from.startsWith('bin/')) ? goBuild(folder, copied[0]?.from ?? '') : null,
    packages: [...new Set([ownPackage ?? [], python?.packages ?? []].flat())],
    unknownPackages: python?.unknownPackages ?? [],
    start: null,
    unit: file.path,
    ...(socket !== undefined && { socket: socket.path }),
  };
}

/** The file of the project that lies at this path on the server; a Go program is built. */
function sourceOf({ files, names }: Folder, path: string): string {
  const name = basename(path);
  const found = files.find((file) => basename(file.path) === name)?.path;
  if (found !== undefined) return found;
  return !names.has(name) && names.has('go.mod') ? `bin/${name}` : name;
}

function goBuild({ files }: Folder, output: string): string | null {
  const main = firstOf(files, [[/\.go$/u, /^package (main)\b/u]]);
  if (main === null) return null;
  const folder = /^(.*)\/[^/]*$/u.exec(main.from)?.[1];
  return `CGO_ENABLED=0 GOOS=linux go build -o ${output} ${folder === undefined ? '.' : `./${folder}`}`;
}

function ofGo(folder: Folder, name: string): Run | null {
  const module = firstOf(folder.files, [[/^go\.mod$/u, /^module\s+(\S+)/u]]);
  const build = goBuild(folder, `bin/${name}`);
  if (module === null || build === null) return null;
  const flag = firstOf(folder.files, [[/\.go$/u, goFlag]]);
  const internal = firstOf(folder.files, [[/\.go$/u, goInternalFlag]]);
  const told = (clue: Clue | null, which: 'public' | 'internal'): string =>
    clue === null ? '' : ` -${clue.value} {${which}${clue.value.includes('port') ? 'Port' : ''}}`;
  return {
    kind: { value: 'Go', from: module.from },
    files: [{ from: `bin/${name}` }],
    build,
    start: {
      value: `/opt/${name}/${name}${told(flag, 'public')}${told(internal, 'internal')}`,
      from: flag?.from ?? module.from,
    },
  };
}

/** What stands at the top of the project and may be needed to run. */
function namesToRun({ names }: Folder): string[] {
  return [...names]
    .filter((name) => !notRun.test(name) && name !== 'node_modules')
    .sort()
    .slice(0, mostNames);
}

function ofNode(folder: Folder, name: string): Run | null {
  const { files, names } = folder;
  const script = firstOf(files, [[/^package\.json$/u, /"start"\s*:\s*"((?:[^"\\]|\\.)*)"/u]]) ?? nodeEntry(folder);
  if (script === null) return null;
  const [program = '', ...rest] = script.value.trim().split(/\s+/u);
  const needs = program !== 'node' || firstOf(files, [[/^package\.json$/u, /"(dependencies)"\s*:/u]]) !== null;
  const own = program === 'node' ? 'node' : `/opt/${name}/node_modules/.bin/${program}`;
  const isPlain = plainCommand.test(script.value.trim()) && !program.includes('/') && !program.includes('=');
  return {
    kind: { value: 'Node', from: script.from },
    files: [...namesToRun(folder), ...(needs ? ['node_modules'] : [])].map((from) => ({ from })),
    build: needs ? `${names.has('package-lock.json') ? 'npm ci' : 'npm install'} --omit=dev` : null,
    start: isPlain ? { value: [own, ...rest].join(' '), from: script.from } : null,
  };
}

/** Without a script that starts it: the file that has the usual name. */
function nodeEntry({ files, names }: Folder): Clue | null {
  const name = [...names].find((each) => /^(?:server|index|app|main)\.[cm]?js$/u.test(each));
  // `npm init` writes index.js, whether it is there or not.
  const isThere = (path: string): boolean => path !== 'index.js' || names.has(path);
  const main = firstOf(files, [[/^package\.json$/u, /"main"\s*:\s*"(?:\.\/)?([\w./-]+)"/u]], isThere);
  const isNode = names.has('package.json') && name !== undefined;
  const clue = main ?? (isNode ? { value: name, from: `${name}, by its name` } : null);
  return clue === null ? null : { ...clue, value: `node ${clue.value}` };
}

function pythonPackages({ files }: Folder) {
  const lines = files.find(({ path }) => path === 'requirements.txt')?.lines ?? [];
  const listed = files.find(({ path }) => path === 'pyproject.toml')?.lines.join('\n') ?? '';
  const inProject = /^dependencies\s*=\s*\[([^\]]*)\]/mu.exec(listed)?.[1]?.match(/(?<=["'])[\w.-]+/gu) ?? [];
  const all = [...lines.flatMap((line) => /^[A-Za-z][\w.-]*/u.exec(line)?.[0] ?? []), ...inProject];
  const names = [...new Set(all.map((name) => name.toLowerCase().replaceAll('_', '-')))];
  return {
    packages: [...new Set(names.flatMap((name) => debianOf[name] ?? []))],
    unknownPackages: names.filter((name) => debianOf[name] === undefined).slice(0, 10),
  };
}

function ofPython(folder: Folder, name: string): Run | null {
  const { files, names } = folder;
  const from = ['requirements.txt', 'pyproject.toml'].find((each) => names.has(each));
  const isPython = from !== undefined || [...names].some((each) => /^[\w-]+\.py$/u.test(each));
  if (!isPython) return null;
  const { packages, unknownPackages } = pythonPackages(folder);
  const start = pythonStart(files, name);
  const server = /^(gunicorn|uvicorn) /u.exec(start?.value ?? '')?.[1];
  return {
    kind: { value: 'Python', from: from ?? 'a .py file' },
    files: namesToRun(folder).map((each) => ({ from: each })),
    packages: [...new Set(['python3', ...(server === undefined ? [] : [server]), ...packages])],
    unknownPackages,
    start:
      start === null ? null : { ...start, value: start.value.replace(/^(?=gunicorn|uvicorn|python3)/u, '/usr/bin/') },
  };
}

/** The server of a Procfile or a Dockerfile at the port that the lab tells; else one for the application that is found. */
function pythonStart(files: readonly ProjectFile[], name: string): Clue | null {
  const told = firstOf(files, [
    [/^Procfile$/u, /^web:\s*((?:gunicorn|uvicorn|python3?) .+)$/u],
    [/^Dockerfile$/u, /^CMD\s+\[?["']?((?:gunicorn|uvicorn|python3?)\b.+?)["']?\]?\s*$/u],
  ]);
  if (told !== null) {
    const words = told.value.split(/["',\s]+/u).filter(Boolean);
    const left = words.filter(
      (each, index) =>
        !/^(?:-b|--bind|--host|--port)/u.test(each) && !/^(?:-b|--bind|--host|--port)$/u.test(words[index - 1] ?? ''),
    );
    if (plainCommand.test(left.join(' '))) return { value: atPort(left, name), from: told.from };
  }
  const application = firstOf(files, [[/^[\w-]+\.py$/u, /^(\w+)\s*=\s*(?:Flask|FastAPI|Starlette)\(/u]]);
  const line = firstOf(files, [[/^[\w-]+\.py$/u, /=\s*(Flask|FastAPI|Starlette)\(/u]]);
  if (application === null || line === null) return null;
  const module = /^([\w-]+)\.py/u.exec(application.from)?.[1] ?? '';
  return {
    value: atPort([line.value === 'Flask' ? 'gunicorn' : 'uvicorn', `${module}:${application.value}`], name),
    from: application.from,
  };
}

function atPort([server = '', ...rest]: readonly string[], name: string): string {
  const more = rest.join(' ');
  if (server === 'gunicorn') return `gunicorn --chdir /opt/${name} --bind {public} ${more}`;
  if (server === 'uvicorn') return `uvicorn --app-dir /opt/${name} --host 127.0.0.1 --port {publicPort} ${more}`;
  return `python3 ${more}`;
}

function ofDockerfile({ files }: Folder, name: string): Run | null {
  const command = firstOf(files, [
    [/^Dockerfile$/u, /^ENTRYPOINT\s+(.+?)\s*$/u],
    [/^Dockerfile$/u, /^CMD\s+(.+?)\s*$/u],
  ]);
  if (command === null) return null;
  const words = command.value.startsWith('[')
    ? (command.value.match(/(?<=")[^"]+(?="\s*[,\]])/gu) ?? [])
    : [command.value];
  const text = words.join(' ');
  return {
    kind: { value: 'an image', from: command.from },
    files: [],
    image: name,
    build: `docker build -t ${name} .`,
    // A relative one would be looked for in another folder than that of the image.
    start: text.startsWith('/') && plainCommand.test(text) ? { value: text, from: command.from } : null,
  };
}

/** What the files of a project say of its service: a first guess for each thing, and where it stands. Pure. */
import { readYaml } from '../gate/files/yaml-data.ts';
import type { Folder, ProjectFile } from './folder.ts';

/** Something that was found, and where: `server.js:12`. */
export interface Clue {
  readonly value: string;
  readonly from: string;
}

/** A service of the project; what was not found is null. */
export interface GuessedService {
  readonly name: Clue;
  /** A number, or the path of a Unix socket. */
  readonly port: Clue | null;
  readonly path: Clue | null;
  /** The command that deploys it. */
  readonly deploy: Clue | null;
  /** The systemd unit that runs it. */
  readonly unit?: string;
}

/** What is known of a project. */
export type Guess = ReturnType<typeof guess>;

/** Which files, and what stands in a line of them: the first group that holds something. */
export type Pattern = readonly [files: RegExp, line: RegExp];

/** Files of source. */
export const source = /\.(?:go|[cm]?[jt]s|py|rb|java|kt|rs)$/u;
const commands = /(?:^|\/)(?:Procfile|package\.json|Makefile|Dockerfile|[^/]+\.(?:service|sh))$/u;
/** `-b 0.0.0.0:8000`, `"--port", "8000"`, `-p 8080:80`, `PORT=8080`. */
const commandPort =
  /^(?!.*\b(?:ssh|scp|rsync|mkdir)\b).*?(?:(?:^|[\s"'])(?:--?(?:port|bind|listen|addr|address|http)|-[bp])[=\s"',]{1,4}(?:(?!\d+:)[\w.*[\]-]{0,60}:)?(\d{2,5})\b(?!\.)|\bPORT[= ]["']?(\d{2,5})\b)/u;

const portPatterns: readonly Pattern[] = [
  [/^\.env$/u, /^\s*(?:export\s+)?PORT\s*=\s*["']?(\d{1,5})/u],
  [/(?:^|\/)Procfile$/u, commandPort],
  [/\.socket$/u, /^ListenStream=(?:[\d.]+:|\[[\da-f:]*\]:)?(\d{1,5})\s*$/u],
  [commands, commandPort],
  [
    source,
    /(?:Listen\w*|Addr:|\.Run|\.Start|\.listen|bind)\s*[(=]?\s*(?:"tcp\d?",\s*)?["'`]?(?:[\w.[\]-]{0,60}:)?(\d{2,5})\b(?!\.)/u,
  ],
  [source, /\bPORT\b.{0,40}?(?:\|\||\?\?|,|=)\s*["'`]?:?(\d{2,5})\b(?!\.)/u],
  [/(?:^|\/)Dockerfile$/u, /^\s*EXPOSE\s+(\d{1,5})/iu],
  [source, /\b(?:port|addr|address)["'`]?\s*(?:,|:?=|:)\s*["'`]?(?:[\w.[\]-]{0,60}:)?(\d{2,5})\b(?!\.)/iu],
];
/** A Unix socket in place of a port. */
const unixPatterns: readonly Pattern[] = [[/\.socket$/u, /^ListenStream=(\/[\w./-]{1,90})\s*$/u]];
/** Ports that a framework listens on unless told otherwise. */
const frameworkPorts: readonly (readonly [port: string, line: RegExp])[] = [
  ['8000', /(?:^|[\s"'])(gunicorn|uvicorn|hypercorn|daphne|django)\b/iu],
  ['5000', /(?:^|[\s"'])(flask)\b/iu],
  ['3000', /"(next|nuxt|@nestjs\/core)"\s*:/u],
];
const frameworkFiles = /(?:^|\/)(?:Procfile|Dockerfile|package\.json|requirements\.txt|pyproject\.toml)$/u;
/** Databases, queues and the like, which a service asks and is not. */
const otherPorts = new Set(
  '22 25 465 587 1433 1521 2181 2375 3306 4317 4318 5432 5672 6379 6432 8125 9042 9092 9200 11211 15672 27017'.split(
    ' ',
  ),
);

/** Live before ready: a check of readiness is to fail while the service drains, which no client sees. */
export const healthNames = ['livez?', '_?health(?:z|check)?', 'up', 'ping', 'status', 'readyz?'];
const pathPatterns: readonly Pattern[] = [
  [
    /(?:^|\/)Dockerfile$|compose\.ya?ml$/u,
    /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?(\/[\w./-]{1,80})/u,
  ],
  ...healthNames.flatMap((name): Pattern[] => [
    [source, new RegExp(`["'\`](?:GET )?((?:/[\\w-]{1,30}){0,3}/${name}/?)["'\`]`, 'u')],
    [source, new RegExp(`\\bpath\\(\\s*["'](${name}/?)["']`, 'u')],
  ]),
];

const namePatterns: readonly Pattern[] = [
  [/^package\.json$/u, /"name"\s*:\s*"(?:@[^"/]*\/)?([\w.-]+)"/u],
  [/^go\.mod$/u, /^module\s+(?:\S*\/)?(?!v\d+\s*$)([\w.-]+)(?:\/v\d+)?\s*$/u],
  [/^pyproject\.toml$/u, /^name\s*=\s*["']([\w.-]+)["']/u],
];
const deployPatterns: readonly (readonly [call: string, ...Pattern])[] = [
  ['make ', /^Makefile$/u, /^((?:deploy|release)[\w-]*)\s*:(?!=)/u],
  ['npm run ', /^package\.json$/u, /"((?:deploy|release)(?:[:-][\w:-]*)?)"\s*:\s*"/u],
];
const deployScript = /^(?:(?:bin|scripts?|deploy)\/)?(?:deploy|release)(?:[._-][\w-]{1,30}){0,3}\.sh$/u;
/** Commands that are safe in a CI file as they are: no quotes, no braces, nothing that a shell runs besides. */
const plainCommand = /^web:\s*([\w ./:=@,+$-]{1,200})$/u;

/** Looks at what was read. */
export function guess(folder: Folder) {
  const notes = folder.unread.map((text) => `not read: ${text}`);
  const { files } = folder;
  const name = firstOf(files, namePatterns) ?? { value: folder.name, from: 'the name of the folder' };
  const all = { port: portIn(files), path: pathIn(files) };
  const units = unitsIn(files, notes);
  const composed = units.length > 0 ? [] : composedIn(files, notes);
  const found = units.length > 0 ? units : composed;
  const services = found.length > 0 ? found : [{ name, ...{ port: null, path: null }, deploy: reloadIn(files) }];
  return {
    services: withoutTwins(services, notes).map((each) => ({
      ...each,
      port: each.port ?? all.port,
      path: each.path ?? all.path,
    })),
    /** How it is started on a machine of the CI system. */
    start: units.length > 0 ? null : startIn(folder, composed),
    /** Commands that deploy, maybe to elsewhere. */
    deployScripts: deployScriptsIn(files),
    github: folder.names.has('.github')
      ? { value: '', from: '.github/' }
      : firstOf(files, [[/^\.git\/config$/u, /url = \S*(github\.com)[:/]/u]]),
    gitlab: folder.names.has('.gitlab-ci.yml') ? { value: '', from: '.gitlab-ci.yml' } : null,
    /** The line on which package.json lists restart-proof. */
    installed: firstOf(files, [[/^package\.json$/u, /"(restart-proof)"\s*:\s*"(?!node )/u]]),
    /** What was found and not used, and why. */
    notes,
  };
}

function deployScriptsIn(files: readonly ProjectFile[]): Clue[] {
  const scripts = files.filter(({ path }) => deployScript.test(path)).slice(0, 3);
  const named = deployPatterns.flatMap(([call, ...pattern]) => {
    const clue = firstOf(files, [pattern]);
    return clue === null ? [] : { ...clue, value: `${call}${clue.value}` };
  });
  return [...scripts.map(({ path }) => ({ value: `./${path}`, from: `${path}:1` })), ...named];
}

/** The first line that a pattern matches, in the order of the patterns; comments are skipped. */
export function firstOf(
  files: readonly ProjectFile[],
  patterns: readonly Pattern[],
  isRight: (value: string) => boolean = () => true,
): Clue | null {
  for (const [names, line] of patterns) {
    for (const { path, lines } of files) {
      if (!names.test(path)) continue;
      for (const [index, text] of lines.entries()) {
        const isComment = /^\s*(?:\/\/|#|\*|;)/u.test(text);
        const value = isComment ? undefined : line.exec(text)?.slice(1).find(Boolean);
        if (value !== undefined && isRight(value)) return { value, from: `${path}:${index + 1}` };
      }
    }
  }
  return null;
}

function isPort(text: string): boolean {
  return Number(text) > 0 && Number(text) < 65_536 && !otherPorts.has(text);
}

function portIn(files: readonly ProjectFile[]): Clue | null {
  const written = firstOf(files, portPatterns, isPort);
  if (written !== null) return written;
  for (const [port, line] of frameworkPorts) {
    const clue = firstOf(files, [[frameworkFiles, line]]);
    if (clue !== null) return { value: port, from: `${clue.from}, the default of ${clue.value}` };
  }
  return null;
}

function pathIn(files: readonly ProjectFile[]): Clue | null {
  const clue = firstOf(files, pathPatterns);
  return clue === null || clue.value.startsWith('/') ? clue : { ...clue, value: `/${clue.value}` };
}

/** Units that run a service: not those of a timer, those that end by themselves, or templates. */
function unitsIn(files: readonly ProjectFile[], notes: string[]): GuessedService[] {
  const paths = new Set(files.map(({ path }) => path));
  return files.flatMap((file): GuessedService[] => {
    const base = /^(.*)\.service$/u.exec(file.path)?.[1];
    if (base === undefined) return [];
    const unit = base.split('/').at(-1) ?? '';
    const has = (pattern: RegExp): boolean => file.lines.some((line) => pattern.test(line));
    const why = !/^\w[\w.-]{0,99}$/u.test(unit)
      ? 'a template, or a name that needs quotes'
      : has(/^Type=oneshot/u) || paths.has(`${base}.timer`)
        ? 'it ends by itself'
        : !has(/^ExecStart=/u) && 'it starts nothing';
    if (why !== false) {
      notes.push(`not used: ${file.path}: ${why}`);
      return [];
    }
    const own = files.filter(({ path }) => path === file.path || path === `${base}.socket`);
    const from = `${file.path}:${file.lines.findIndex((line) => line.startsWith('ExecStart=')) + 1}`;
    const deploy = { value: `systemctl restart ${unit}`, from };
    return [
      {
        name: { value: unit, from: file.path },
        port: firstOf(own, portPatterns, isPort) ?? firstOf(own, unixPatterns),
        path: null,
        deploy,
        unit,
      },
    ];
  });
}

const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** Services of a compose file: those that are built here, else those that publish a port. */
function composedIn(files: readonly ProjectFile[], notes: string[]): GuessedService[] {
  const file = files.find(({ path }) => /^(?:docker-)?compose\.ya?ml$/u.test(path));
  if (file === undefined) return [];
  try {
    const { data, placeOf } = readYaml(file.lines.join('\n'), file.path, () => true);
    const services = Object.entries(fieldsOf(fieldsOf(data)['services'])).flatMap(([name, value]) => {
      if (!/^\w[\w.-]{0,99}$/u.test(name)) return [];
      const at = (...below: string[]): string => `${file.path}:${placeOf(['services', name, ...below]).line}`;
      const ports = Object.values(fieldsOf(fieldsOf(value)['ports'])).flatMap((port) => publishedPort(port) ?? []);
      const port = ports.map((value) => ({ value, from: at('ports') }))[0] ?? null;
      const again = 'docker compose up -d --build --force-recreate --no-deps --wait';
      const deploy = { value: `${again} ${name}`, from: at() };
      const isBuilt = 'build' in fieldsOf(value);
      return { isBuilt, name: { value: name, from: at() }, port, path: null, deploy };
    });
    const built = services.filter(({ isBuilt }) => isBuilt);
    const published = services.filter(({ port }) => port !== null);
    // Built here and published by another, such as a proxy in front.
    const front = published.find(({ isBuilt }) => !isBuilt)?.port ?? null;
    const reached = built.filter(({ port }) => port !== null);
    if (reached.length > 0) return reached;
    return built.length > 0 ? built.slice(0, 1).map((each) => ({ ...each, port: front })) : published;
  } catch {
    notes.push(`not used: ${file.path}: it cannot be read as YAML`);
    return [];
  }
}

/** The port of this machine that leads to a container's, unless a database or the like is behind it. */
function publishedPort(port: unknown): string | null {
  const { published, target } = fieldsOf(port);
  const short = typeof port === 'string' ? port : `${String(published)}:${String(target)}`;
  const plain = short.replaceAll(/\$\{\w+:?-(\d+)\}/gu, '$1');
  const [, own = '', inside = ''] = /^(?:[\d.]+:|\[[^\]]*\]:)?(\d+):(\d+)(?:\/tcp)?$/u.exec(plain) ?? [];
  return isPort(own) && isPort(inside) ? own : null;
}

function reloadIn(files: readonly ProjectFile[]): Clue | null {
  const clue = firstOf(files, [
    [/^(?:ecosystem|pm2)(?:\.config)?\.(?:[cm]?js|json)$/u, /\bname["']?\s*:\s*["'`](\w[\w.-]{0,99})["'`]/u],
    [/^(?:package\.json|Makefile|Procfile)$/u, /\bpm2\b.*\s--name[= ](\w[\w.-]{0,99})/u],
  ]);
  if (clue === null) return null;
  const isOwn = firstOf(files, [[/^package\.json$/u, /"(pm2)"\s*:/u]]) !== null;
  return { ...clue, value: `${isOwn ? 'npx ' : ''}pm2 reload ${clue.value}` };
}

function startIn({ files, names }: Folder, composed: readonly GuessedService[]): Clue | null {
  const [compose] = composed;
  if (compose !== undefined) return { value: 'docker compose up -d --build --wait', from: compose.name.from };
  const npmInstall = names.has('package-lock.json') ? 'npm ci' : 'npm install';
  const starts: readonly (readonly [...Pattern, start: (found: string) => string])[] = [
    [/^package\.json$/u, /"(start)"\s*:\s*"/u, () => `${npmInstall}\nnpm start &`],
    [/^Procfile$/u, plainCommand, (command) => `${command} &`],
    [/^[^/]+\.go$/u, /^package (main)\b/u, () => 'go run . &'],
    [/^Dockerfile$/u, /^(?:CMD|ENTRYPOINT)\s*(.)/u, () => 'docker run -d --network host "$(docker build -q .)"'],
  ];
  for (const [inFiles, line, start] of starts) {
    const clue = firstOf(files, [[inFiles, line]]);
    const install =
      names.has('requirements.txt') && inFiles.test('Procfile') ? 'pip install -r requirements.txt\n' : '';
    if (clue !== null) return { ...clue, value: `${install}${start(clue.value)}` };
  }
  return null;
}

/** A budgets file refuses two of one name, whatever the case, and nobody reads through more than ten. */
function withoutTwins(services: readonly GuessedService[], notes: string[]): GuessedService[] {
  const kept = new Map<string, GuessedService>();
  for (const service of services) {
    const { value, from } = service.name;
    const key = value.toLowerCase();
    if (kept.has(key)) notes.push(`not used: ${from}: another one is called ${value}`);
    else if (kept.size === 10) notes.push(`not used: ${from}: there are ten services before it`);
    else kept.set(key, service);
  }
  return [...kept.values()];
}

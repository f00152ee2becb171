/** The service.yaml that `init` begins: what was guessed and from where, and lines to take in as they are needed. Pure. */
import { stringify } from 'yaml';
import { shownLine } from '../base/foreign-text.ts';
import type { NewFile } from './files.ts';
import type { Clue } from './guess.ts';
import type { CopiedFile, GuessedRun } from './service-guess.ts';

/** Refused by its reader, since it is only a comment: nothing runs until somebody writes a command. */
const noCommand = '# Write the command line that runs the service, such as /opt/shop/shop --listen {public}';
/** Where the lab tells the port. */
const toldPort = '18080';

/** A value inside of brackets or braces. */
const flow = (text: string): string =>
  /^[A-Za-z_/][\w./-]*$/u.test(text) && !/^(?:true|false|null|yes|no|on|off)$/iu.test(text)
    ? text
    : JSON.stringify(text);
const from = (clue: Clue | null): string => (clue === null ? 'none was found' : shownLine(clue.from));
const list = (texts: readonly string[]): string => `[${texts.map(flow).join(', ')}]`;
const copied = ({ from: source, to }: CopiedFile): string =>
  to === undefined ? flow(source) : `{ from: ${flow(source)}, to: ${flow(to)} }`;

/** @param schema where an editor finds the JSON Schema */
export function serviceFile(run: GuessedRun, schema: string): NewFile {
  const { name, kind, build, packages, unknownPackages, image } = run;
  const text = `# yaml-language-server: $schema=${schema}
# The service, as the lab is to run it. Begun by restart-proof init, which guessed: check every line.
# All fields: service-yaml.md in the docs of restart-proof.
name: ${name} # ${shownLine(kind.value)} (${from(kind)})

# What is copied onto the lab's server (Debian), to /opt/${name}/ unless it says where.${build === null ? '' : ` Make it first: ${shownLine(build)}`}
${filesOf(run)}${packages.length > 0 ? `packages: ${list(packages)}\n` : ''}${
    unknownPackages.length > 0
      ? `# Needed, too, and not known as Debian packages: ${shownLine(unknownPackages.join(', '))}.\n`
      : ''
  }${image === null ? '' : `image: ${flow(image)} # its file system is the root that start runs in\n`}
${startOf(run)}
${askedOf(run)}
requests:
${requestsOf(run)}
${releaseOf(run)}
# Take in what you need:
# writes: { requests: [order], url: '/orders/{id}' } # is each write stored? or sql: …, or command: …
# containers: [{ name: database, image: 'postgres:17', environment: { POSTGRES_PASSWORD: '\${PGPASSWORD}' } }]
`;
  return { path: 'service.yaml', text };
}

function filesOf({ files }: GuessedRun): string {
  if (files.length === 0) return '# files: [shop]\n';
  if (files.length === 1) return `files: [${files.map(copied).join()}]\n`;
  return `files:\n${files.map((each) => `  - ${copied(each)}\n`).join('')}`;
}

function startOf({ unit, socket, start, portVariable, inherits }: GuessedRun): string {
  if (unit !== null) {
    const takes =
      socket === null
        ? ''
        : `socket: ${flow(socket)}\nlistens: either # it serves fd 3 (LISTEN_FDS) if it is given one\n`;
    return `# Used as it is; what an experiment changes is a drop-in beside it.\nunit: ${flow(unit)}\n${takes}`;
  }
  const takes = inherits === null ? '' : `listens: either # fd 3 if it is given one: ${from(inherits)}\n`;
  const command = `# From: ${from(start)}. {public}, {publicPort} and others are filled in.
start: ${stringify(start?.value ?? noCommand, { lineWidth: 0 }).trimEnd()}
${takes}`;
  if (portVariable === null || start?.value.includes('{public') === true) return command;
  return `${command}environment: { PORT: '{publicPort}' } # ${from(portVariable)}\n`;
}

function askedOf({ port, live, ready, portVariable, start, unit }: GuessedRun): string {
  const isTold = unit === null && (start?.value.includes('{public') === true || portVariable !== null);
  const number = /^\d+$/u.test(port?.value ?? '') ? (port?.value ?? toldPort) : toldPort;
  const where = isTold
    ? `127.0.0.1:${toldPort} # any port: the service is told`
    : `127.0.0.1:${number} # ${from(port)}`;
  const health =
    live === null
      ? '# health: { live: /livez, ready: /readyz } # none was found in the source\n'
      : `health: { live: ${flow(live.value)}, ready: ${flow((ready ?? live).value)} } # ${[...new Set([from(live), from(ready)])].join(', ')}\n`;
  return `public: ${where}
${start?.value.includes('{internal') === true ? '' : '# '}internal: 127.0.0.1:18081 # if health has a port of its own
${health}`;
}

/** How its version shows, and what a deploy changes. */
function releaseOf({ versionHeader: header, versionVariable: variable }: GuessedRun): string {
  const unknown = 'how its version shows; without it nobody knows whether an answer was stale';
  return `${header === null ? '# ' : ''}version: { header: ${header?.value ?? 'X-App-Version'} } # ${header === null ? unknown : from(header)}
${variable === null ? '# ' : ''}release: { environment: { ${variable?.value ?? 'APP_VERSION'}: '{version}' } } # ${variable === null ? 'what a deploy changes' : from(variable)}
`;
}

function requestsOf({ route, post }: GuessedRun): string {
  const path = post === null ? '/orders' : flow(post.value);
  return `  - path: ${flow(route?.value ?? '/')} # ${route === null ? 'a guess: it must answer 2xx' : from(route)}
  # - { name: order, method: POST, path: ${path}, body: '{"id": "{id}"}' } # ${post === null ? 'a write' : from(post)}
`;
}

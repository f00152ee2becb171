#!/usr/bin/env node
/**
 * `restart-proof`, for use from other projects: starts the command line under the Node that called it if that is new
 * enough, else under the one that the project pins, from npm's cache of packages (npm fetches it the first time).
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { leastMajor, ownIsEnough, whyNotStarting } from './pinned-node.mjs';
import { npmCommand, npmEnvironment, npmPatience, npmReason } from './tool-environment.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const hooks = ['--disable-warning=ExperimentalWarning', '--import', new URL('typescript.mjs', import.meta.url).href];

try {
  import.meta.resolve('commander');
} catch {
  refuse(
    'setup-missing',
    "The package's dependencies are not installed.",
    'Run `npm install` where restart-proof is installed.',
  );
}
const node = ownIsEnough ? process.execPath : pinnedNode();
const words = process.argv.slice(2);
// What else is asked of setup, such as --help, the command line knows.
const isSetup = words.filter((word) => word !== '--verbose').join(' ') === 'setup';
const program = isSetup ? '../setup.mjs' : 'package-cli.ts';
const child = spawn(node, [...hooks, at(program), ...words], { stdio: 'inherit' });
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));
// A terminal sends Ctrl-C to the child as well, which takes both for one, and ends in its own time.
process.on('SIGINT', () => child.kill('SIGINT'));
child.on('error', (error) => refuse('node-cannot-start', `Node at ${node} does not start here (${error.code}).`));
child.on('exit', (status, signal) => process.exit(status ?? 128 + (constants.signals[signal] ?? 0)));

/** The pinned Node of npm's cache, which starts. */
function pinnedNode() {
  const packages = JSON.parse(readFileSync(at('node/package.json'), 'utf8')).optionalDependencies;
  const name = Object.keys(packages).find((known) => known.endsWith(`-${process.platform}-${process.arch}`));
  const needed = `Node ${leastMajor} or newer is needed, and this is ${process.versions.node}`;
  if (name === undefined) refuse('node-too-old', `${needed}.`);
  const [npm, ...first] = npmCommand();
  const project = process.env['npm_config_local_prefix'] ?? process.cwd();
  const where = ['exec', '--yes', ...npmPatience, `--package=${name}@${packages[name]}`, '--'];
  // npm itself tells where the program lies: what is on PATH there is the package's.
  const { status, stdout, stderr, error } = spawnSync(npm, [...first, ...where, 'sh', '-c', 'command -v node'], {
    encoding: 'utf8',
    // A folder without an npmrc of its own.
    cwd: at('node'),
    env: npmEnvironment(project, join(tmpdir(), 'restart-proof-npm')),
  });
  const path = (stdout ?? '').trim().split('\n').at(-1) ?? '';
  if (status !== 0 || !existsSync(path)) {
    const why = error === undefined ? npmReason(stderr) : `npm does not start (${error.code})`;
    refuse('node-too-old', `${needed}; npm could not bring the pinned one: ${why}.`);
  }
  const why = whyNotStarting(path);
  if (why !== undefined) {
    refuse('node-cannot-start', `${needed}; the pinned one (${packages[name]}) does not start here: ${why}.`);
  }
  return path;
}

/** Ends with a sentence; the codes are those of error-catalog.ts. */
function refuse(
  code,
  sentence,
  hint = `Install Node ${leastMajor} or newer for this system from nodejs.org or its packages.`,
) {
  console.error(`error: ${sentence} [${code}]\n${hint}`);
  process.exit(4);
}

#!/usr/bin/env node
/**
 * `restart-proof`, for use from other projects: starts the command line under the Node that called it if that is new
 * enough, else under the one that the project pins, from npm's cache of packages (npm fetches it the first time).
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const hooks = ['--disable-warning=ExperimentalWarning', '--import', new URL('typescript.mjs', import.meta.url).href];

const child = spawn(newEnoughNode(), [...hooks, at('package-cli.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));
// A terminal sends Ctrl-C to the child as well, which then ends in its own time.
process.on('SIGINT', () => undefined);
child.on('exit', (status, signal) => process.exit(status ?? 128 + (constants.signals[signal] ?? 0)));

function newEnoughNode() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const packages = JSON.parse(readFileSync(at('node/package.json'), 'utf8')).optionalDependencies;
  const name = Object.keys(packages).find((known) => known.endsWith(`-${process.platform}-${process.arch}`));
  if (name === undefined) {
    console.error(
      `error: Node 24 or newer is needed, and this is ${process.versions.node}. [node-too-old]\nInstall it from nodejs.org.`,
    );
    process.exit(4);
  }
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['exec', '--yes', `--package=${name}@${packages[name]}`, '--', 'node', '-p', 'process.execPath'],
    { encoding: 'utf8' },
  );
  const path = (stdout ?? '').trim().split('\n').at(-1) ?? '';
  if (status === 0 && existsSync(path)) return path;
  console.error(
    `error: Node 24 or newer is needed, and npm could not bring it: [node-too-old]\n${(stderr ?? '').trim()}\n` +
      'Install Node 24 from nodejs.org, or check that this machine reaches its npm registry.',
  );
  process.exit(4);
}

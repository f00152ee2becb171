/**
 * `npm run setup`, first half, in whatever Node (20 or newer) the machine has: dependencies, and an engine that answers.
 * The second half (harness/cli/internal/setup.ts) goes on under the Node that the project pins, and makes the lab's image.
 * Of the package (`npx restart-proof setup`) npm installed the dependencies, and harness/bin.mjs chose the Node.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { architectures, labImageTag } from './containers/image-tag.mjs';
import { markOf, packagesLeftOut } from './harness/installed.mjs';
import { ContextError, engineAddress } from './harness/lab/engine/engine-address.mjs';
import { leastMajor, ownIsEnough, whyNotStarting } from './harness/pinned-node.mjs';
import { cacheFolder, isCheckout, projectFolder as folder } from './harness/project.mjs';
import {
  nodeEnvironment,
  npmCommand,
  npmEnvironment,
  npmPatience,
  npmReason,
  otherTemporaryFolder,
  pipEnvironment,
  rootEnvironment,
} from './harness/tool-environment.mjs';

const cannotRun = 4;
const inconclusive = 3;
const call = isCheckout ? 'npm run setup' : 'npx restart-proof setup';
const cache = cacheFolder();
const isVerbose = Boolean(process.env['RESTART_PROOF_VERBOSE']) || process.argv.includes('--verbose');

/** A reason that a user can understand, and what to do about it. */
class CannotRun extends Error {
  /** @param code of harness/base/error-catalog.ts @param hint what to do before setup runs again */
  constructor(code, sentence, hint) {
    super(sentence);
    this.code = code;
    this.hint = `${hint}, and run \`${call}\` again.`;
  }
}

function say(step, outcome, sinceMs) {
  const took = sinceMs === undefined ? '' : ` (${((performance.now() - sinceMs) / 1000).toFixed(1)} s)`;
  process.stdout.write(`setup: ${step}: ${outcome}${took}\n`);
}

/** Runs a command quietly; what it said is for the caller to show when it fails. `env` is all of its environment. */
async function quietly(command, args, env = rootEnvironment()) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (part) => (output += part));
    child.stderr.on('data', (part) => (output += part));
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** The last lines of what a command said: why it failed stands there. */
function lastWords(output) {
  return output.trim().split('\n').slice(-12).join('\n');
}

/**
 * One setup at a time in this checkout, and one of the package: two `npm ci` at once leave half a node_modules.
 * The lock names the process that holds it, so that one which was killed holds up nobody.
 */
async function takeTurn() {
  const lock = join(cache, 'setup.lock');
  for (let waiting = false; ;) {
    try {
      mkdirSync(cache, { recursive: true });
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      process.on('exit', () => rmSync(lock, { force: true }));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') {
        throw new CannotRun('setup-failed', `${cache} cannot be written to: ${error.message}.`, 'Make it yours');
      }
    }
    if (isAbandoned(lock)) {
      rmSync(lock, { force: true });
    } else {
      if (!waiting) say('waiting', `another setup is at work${isCheckout ? ' in this checkout' : ''}`);
      waiting = true;
      await sleep(300);
    }
  }
}

function isAbandoned(lock) {
  try {
    const holder = Number(readFileSync(lock, 'utf8'));
    // Written a moment ago and still empty: its holder is between making the file and filling it.
    if (!(holder > 0)) return Date.now() - statSync(lock).mtimeMs > 5_000;
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** The package of its own that pins Node, below the project's folder. */
const pinnedNodeFolder = 'harness/node';
const pinnedNodePath = join(folder, pinnedNodeFolder, 'node_modules', '.bin', 'node');

async function dependencies() {
  const startedMs = performance.now();
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of ['package-lock.json', 'harness/node/package-lock.json', '.npmrc'])
    hash.update(readFileSync(join(folder, file)));
  const wanted = hash.digest('hex');
  const stamp = join(folder, 'node_modules', '.setup-stamp');
  const installed = ['.', pinnedNodeFolder].map((where) => join(folder, where, 'node_modules'));
  // The mark tells that nothing was lost since: that a folder is there says little of what is in it.
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === `${wanted} ${markOf(installed)}`) {
    say('dependencies', 'as package-lock.json has them');
    return;
  }
  for (const where of ['.', pinnedNodeFolder]) await npmCi(where);
  // Where the registry has no Node for this system, one of this machine's own may do: see pinnedNode.
  const left = packagesLeftOut(folder);
  if (left.length > 0) {
    throw new CannotRun(
      'setup-failed',
      `npm ci left out ${left.length} of the packages in package-lock.json: ${left.slice(0, 5).join(', ')}.`,
      `See that npm's registry has them and that npm's own configuration leaves none out`,
    );
  }
  if (existsSync(pinnedNodePath)) writeFileSync(stamp, `${wanted} ${markOf(installed)}`);
  say('dependencies', 'installed by npm ci', startedMs);
}

async function npmCi(where) {
  const words = [
    ...['ci', '--prefix', where, '--include=dev', '--include=optional', '--include=peer', '--ignore-scripts'],
    ...['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=warn'],
    ...npmPatience,
  ];
  const [npm, ...first] = npmCommand();
  const env = npmEnvironment(folder, join(cache, 'npm'));
  const { code, output } = await quietly(npm, [...first, ...words], env);
  if (code === 0) return;
  const reason = npmReason(output);
  const hint = reason.includes('ENOSPC') ? 'Make room on the disk' : 'Check that this machine reaches its npm registry';
  throw new CannotRun('setup-failed', `npm ci failed: ${reason}.`, hint);
}

/**
 * npm puts node_modules/.bin first on the PATH of every script: they all run under the Node that stands there. A script
 * and no link, since a checkout moves: into a container with another libc, onto a disk that is mounted noexec.
 */
const nodeScript = `#!/bin/sh
# Written by setup.mjs. The pinned Node; where it does not start, the one that npm itself runs under.
pinned="\${0%/*}/../../${pinnedNodeFolder}/node_modules/.bin/node"
NODE_OPTIONS= "$pinned" --version >/dev/null 2>&1 && exec "$pinned" "$@"
own="\${npm_node_execpath:-}"
isEnough='process.exit(process.versions.node.split(".")[0] < ${leastMajor} ? 1 : 0)'
[ -n "$own" ] && "$own" -e "$isEnough" >/dev/null 2>&1 && exec "$own" "$@"
echo 'error: The pinned Node does not start here, and no Node ${leastMajor} or newer is at hand. [node-cannot-start]' >&2
echo 'Install Node ${leastMajor} or newer for this system, and run \`npm run setup\` again.' >&2
exit ${cannotRun}
`;

/** Makes `node` in scripts the pinned one, if that starts here. */
function putFirstOnPath(starts) {
  const path = join(folder, 'node_modules', '.bin', 'node');
  rmSync(path, { force: true });
  if (starts) writeFileSync(path, nodeScript, { mode: 0o755 });
}

/** Where the engine is; what stands in the way of knowing is said once. */
function whereIsEngine() {
  try {
    return engineAddress();
  } catch (error) {
    if (!(error instanceof ContextError)) throw error;
    throw new CannotRun('engine-context', error.message, `See \`docker context ls\`, choose one`);
  }
}

/** The same in the words of node:http and node:https; undefined for ssh, which the second half speaks. */
function requestOptions() {
  const address = whereIsEngine();
  if (address.kind === 'unix') return { socketPath: address.socketPath };
  if (address.kind === 'ssh') return undefined;
  const { host, port, tls } = address;
  if (tls === null) return { host, port };
  const { verify, ...keys } = tls;
  return { protocol: 'https:', host, port, ...keys, rejectUnauthorized: verify };
}

/** Asks the engine: gives status and body of its answer, else the error's code. */
async function ask(path) {
  return new Promise((resolve) => {
    const options = { ...requestOptions(), path, timeout: 3_000 };
    const asked = ('protocol' in options ? httpsRequest : request)(options, (answer) => {
      let text = '';
      answer.on('data', (part) => (text += part));
      answer.on('error', () => resolve({ error: 'CUT' }));
      answer.on('end', () => {
        try {
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) });
        } catch {
          resolve({ error: 'UNREADABLE' });
        }
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('timeout')));
    asked.on('error', (error) => resolve({ error: error.code ?? error.message }));
    asked.end();
  });
}

function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Is this Debian, Ubuntu, or a child of theirs? */
function isDebian() {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    const ids = [...text.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gmu)].map(([, found]) => found).join(' ');
    return /\b(debian|ubuntu)\b/u.test(ids) && has('apt-get');
  } catch {
    return false;
  }
}

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const mayInstall = isRoot && isDebian();

async function aptInstall(packages) {
  const startedMs = performance.now();
  const env = { ...rootEnvironment(), DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  // A third-party list that is out of reach makes update fail; what counts is whether the packages come.
  const update = await quietly('apt-get', ['update', '-qq', ...wait], env);
  const flags = ['-y', '-qq', '--no-install-recommends', ...wait];
  const install = await quietly('apt-get', ['install', ...flags, ...packages], env);
  if (install.code !== 0) {
    throw new CannotRun(
      'setup-failed',
      `apt-get could not install ${packages.join(', ')}:\n${lastWords(`${update.output}\n${install.output}`)}`,
      'Check that this machine reaches the packages of its distribution',
    );
  }
  say('packages', `installed ${packages.join(', ')}`, startedMs);
}

async function startEngine() {
  const startedMs = performance.now();
  const logPath = '/var/log/dockerd.log';
  const bySystemd = existsSync('/run/systemd/system');
  let ended = '';
  if (bySystemd) {
    const { code, output } = await quietly('systemctl', ['start', 'docker']);
    if (code !== 0) ended = lastWords(output);
  } else {
    // Installing may have started it by the distribution's own means.
    const log = openSync(logPath, 'a');
    const from = statSync(logPath).size;
    const engine = spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] });
    engine.on('error', (error) => (ended = error.message));
    engine.on('exit', () => {
      ended = reasonIn(readFileSync(logPath).subarray(from).toString('utf8'));
    });
    engine.unref();
  }
  for (let endedMs; performance.now() - startedMs < 30_000; await sleep(100)) {
    if ('status' in (await ask('/version'))) {
      say('engine', 'started', startedMs);
      return;
    }
    if (ended !== '') endedMs ??= performance.now();
    if (endedMs !== undefined && performance.now() - endedMs > 3_000) break;
  }
  throw new CannotRun(
    'engine-absent',
    `The Docker engine does not start here${ended === '' ? ': no answer within 30 s' : `: ${ended}`}`,
    `See ${bySystemd ? '`journalctl -u docker`' : logPath}, or set DOCKER_HOST to an engine that runs`,
  );
}

/** Why a daemon ended, in one line of its log. */
function reasonIn(log) {
  const lines = log.trim().split('\n');
  return lines.findLast((line) => line.includes('failed to start')) ?? (lines.at(-1) || 'it ended at once');
}

/** Why there is no engine, from the error's code, and what to do. */
function noEngine(error) {
  const { named } = whereIsEngine();
  if (named !== null) {
    return new CannotRun(
      'engine-unreachable',
      `The engine of ${named} does not answer (${error}).`,
      `Start it, or choose another (unset DOCKER_HOST, or \`docker context use default\`)`,
    );
  }
  if (error === 'EACCES') {
    return new CannotRun(
      'engine-denied',
      'A Docker engine is here, but this user may not use it.',
      'Add the user to its group (`sudo usermod -aG docker "$USER"`), log in anew',
    );
  }
  if (process.platform !== 'linux') {
    return new CannotRun('engine-absent', 'No Docker engine answers.', 'Install and start Docker Desktop (or colima)');
  }
  if (has('dockerd') || existsSync('/usr/sbin/dockerd')) {
    return new CannotRun(
      'engine-absent',
      'A Docker engine is installed and not running, and only root can start it.',
      `Start it (\`sudo systemctl start docker\`)`,
    );
  }
  return new CannotRun(
    'engine-absent',
    'No Docker engine answers, and it can be installed from here only as root on Debian or Ubuntu.',
    `Install and start Docker (Debian, Ubuntu: \`sudo apt-get install docker.io\`), make sure that you may use it`,
  );
}

/** Is the lab's image in the engine? Then nothing has to be fetched or built, and no tool for that installed. */
async function hasLabImage(version) {
  if (!('status' in version) || !Object.hasOwn(architectures, version.body.Arch)) return false;
  const image = await ask(`/images/${labImageTag(version.body.Arch)}/json`);
  return 'status' in image && image.status === 200;
}

/** Is a Debian base in the engine, whichever way it came there? */
async function hasBase() {
  const found = await Promise.all(
    ['restart-proof/debian:bookworm', 'debian:bookworm-slim'].map((image) => ask(`/images/${image}/json`)),
  );
  return found.some((answer) => 'status' in answer && answer.status === 200);
}

/** An engine that answers, and the tools that its image is made with. */
async function engine() {
  // How to reach it is for the Docker client to say: the second half tells if it does not answer.
  const version = requestOptions() ? await ask('/version') : { status: 0, body: {} };
  const up = 'status' in version;
  const mayStart = isRoot && whereIsEngine().named === null;
  if (!up && !(mayStart && (mayInstall || has('dockerd')))) throw noEngine(version.error);
  if (await hasLabImage(version)) return;
  if (mayInstall) {
    const missing = [];
    if (!up && !has('dockerd')) missing.push('docker.io', 'iptables');
    if (!(up && (await hasBase()))) {
      if (!has('debootstrap')) missing.push('debootstrap');
      // debootstrap checks signatures by it; Ubuntu has it as a package only.
      if (!existsSync('/usr/share/keyrings/debian-archive-keyring.gpg')) missing.push('debian-archive-keyring');
      if (!has('gpgv')) missing.push('gpgv');
    }
    if (!hasWheel() && spawnSync('python3', ['-m', 'pip', '--version'], { env: pipEnvironment() }).status !== 0)
      missing.push('python3-pip');
    if (missing.length > 0) await aptInstall(missing);
  }
  if (!up) await startEngine();
}

/** Is a wheel of Traefik in the cache? It is unpacked by Python, and only fetched by pip. */
function hasWheel() {
  if (!has('python3')) return false;
  return Object.values(architectures).some(({ wheel }) => existsSync(join(cache, 'downloads', wheel)));
}

/** The Node that goes on from here: the pinned one where it starts, else this machine's own where that is new enough. */
function goingOn() {
  const isThere = existsSync(pinnedNodePath);
  const why = isThere ? whyNotStarting(pinnedNodePath) : `npm has none for ${process.platform} on ${process.arch}`;
  putFirstOnPath(why === undefined);
  if (why === undefined) return pinnedNodePath;
  const own = `Node ${process.versions.node}`;
  if (ownIsEnough) {
    say('node', `${own} of this machine, since the pinned one does not start: ${why}`);
    return process.execPath;
  }
  if (!isThere) {
    throw new CannotRun(
      'node-too-old',
      `npm has no package of Node ${leastMajor} for ${process.platform} on ${process.arch}, and this is ${own}.`,
      `Install Node ${leastMajor}`,
    );
  }
  throw new CannotRun(
    'node-cannot-start',
    `The pinned Node does not start on this machine (${why}), and this is ${own}.`,
    `Install Node ${leastMajor} or newer for this system`,
  );
}

async function setup() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new CannotRun(
      'node-too-old',
      `This is Node ${process.versions.node}; 20 or newer is needed to begin with.`,
      'Install Node 20 or newer',
    );
  }
  await takeTurn();
  const temporary = otherTemporaryFolder(cache);
  if (temporary !== undefined) process.env['TMPDIR'] = temporary;
  // Both are let finish: an npm ci that is cut off leaves half a node_modules.
  const outcomes = await Promise.allSettled([isCheckout ? dependencies() : undefined, engine()]);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  if (failed.length > 0) throw failed[0].reason;
  const [node, ...script] = isCheckout
    ? [goingOn(), join(folder, 'harness', 'cli.ts')]
    : [process.execPath, ...process.execArgv, join(folder, 'harness', 'package-cli.ts')];
  const second = spawnSync(node, [...script, 'setup', ...(isVerbose ? ['--verbose'] : [])], {
    stdio: 'inherit',
    ...(isCheckout ? { cwd: folder } : {}),
    env: nodeEnvironment(),
  });
  if (second.error) {
    throw new CannotRun(
      'node-cannot-start',
      `Node does not start on this machine: ${second.error.message}.`,
      `Install Node ${leastMajor} or newer for this system`,
    );
  }
  // The image itself is the proof that it was made; a build's stream can end without saying that it failed.
  if (second.status === 0 && requestOptions() && !(await hasLabImage(await ask('/version')))) {
    throw new CannotRun(
      'image-build-failed',
      "The lab's image is not in the engine, although its build ended.",
      `See the engine's log for why`,
    );
  }
  return second.signal ? 128 + constants.signals[second.signal] : (second.status ?? 1);
}

try {
  process.exitCode = await setup();
} catch (error) {
  const foreseen = error instanceof CannotRun;
  const { code, hint } = foreseen ? error : { code: 'internal', hint: 'Please report it, with what this prints:' };
  const [sentence, ...more] = error.message.split('\n');
  process.stderr.write([`error: ${sentence} [${code}]`, ...more, hint, ''].join('\n'));
  if (!foreseen) process.stderr.write(`RESTART_PROOF_VERBOSE=1 ${call}\n`);
  if (isVerbose) process.stderr.write(`${error.stack}\n`);
  process.exitCode = foreseen ? cannotRun : inconclusive;
}
// A dockerd that was started here is not waited for.
process.exit();

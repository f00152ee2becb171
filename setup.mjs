/**
 * `npm run setup`, first half, in whatever Node (20 or newer) the machine has: dependencies, and an engine that answers.
 * The second half (harness/commands/setup.ts) goes on under the Node that the project pins, and makes the lab's image.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const cannotRun = 4;

/** @param {string} step @param {string} outcome @param {number} [sinceMs] */
function say(step, outcome, sinceMs) {
  const took = sinceMs === undefined ? '' : ` (${((performance.now() - sinceMs) / 1000).toFixed(1)} s)`;
  process.stdout.write(`setup: ${step}: ${outcome}${took}\n`);
}

/** @param {string} sentence @param {string} hint @returns {never} */
function giveUp(sentence, hint) {
  process.stderr.write(`error: ${sentence}\n${hint}\n`);
  process.exit(cannotRun);
}

/**
 * Runs a command quietly; what it said is shown only when it fails.
 * @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ code: number, output: string }>}
 */
async function quietly(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (part) => (output += part));
    child.stderr.on('data', (part) => (output += part));
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

async function dependencies() {
  const startedMs = performance.now();
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) hash.update(readFileSync(join(folder, file)));
  const wanted = hash.digest('hex');
  const stamp = join(folder, 'node_modules', '.setup-stamp');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
    say('dependencies', 'as package-lock.json has them');
    return;
  }
  // npm run sets npm_config_* for the outer npm; ci reads the project's own .npmrc all the same.
  const { code, output } = await quietly('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0) {
    giveUp(
      `npm ci failed:\n${output.trim()}`,
      'Check that this machine reaches its npm registry, and run `npm run setup` again.',
    );
  }
  writeFileSync(stamp, wanted);
  say('dependencies', 'installed by npm ci', startedMs);
}

/** Does an engine answer at the local socket? @returns {Promise<boolean>} */
async function answers() {
  return new Promise((resolve) => {
    const asked = request({ socketPath: '/var/run/docker.sock', path: '/_ping', timeout: 2_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

/** @param {string} program */
function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Debian's and Ubuntu's ID in os-release, or what else is there. */
function distribution() {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return ` ${[...text.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gmu)].map(([, ids]) => ids).join(' ')} `;
  } catch {
    return ' ';
  }
}

/** May packages be installed here? */
function canInstall() {
  return process.platform === 'linux' && process.getuid?.() === 0 && /\s(debian|ubuntu)\s/u.test(distribution());
}

/** @param {string[]} packages */
async function aptInstall(packages) {
  const startedMs = performance.now();
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  // A third-party list that is out of reach makes update fail; what counts is whether the packages come.
  const update = await quietly('apt-get', ['update', '-qq', ...wait], env);
  const install = await quietly(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', ...wait, ...packages],
    env,
  );
  if (install.code !== 0) {
    giveUp(
      `apt-get could not install ${packages.join(', ')}:\n${`${update.output}\n${install.output}`.trim().slice(-1_500)}`,
      "Check that this machine reaches Debian's packages, and run `npm run setup` again.",
    );
  }
  say('packages', `installed ${packages.join(', ')}`, startedMs);
}

async function startEngine() {
  const startedMs = performance.now();
  if (existsSync('/run/systemd/system')) {
    await quietly('systemctl', ['start', 'docker']);
  } else {
    const log = openSync('/var/log/dockerd.log', 'a');
    spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] }).unref();
  }
  while (performance.now() - startedMs < 30_000) {
    if (await answers()) {
      say('engine', 'started', startedMs);
      return;
    }
    await sleep(100);
  }
  giveUp(
    'The Docker engine was started and does not answer within 30 s.',
    'Its log: /var/log/dockerd.log, or `journalctl -u docker`.',
  );
}

async function engine() {
  // The engine that the user named is the one that is used; the second half says so if it does not answer.
  if (process.env['DOCKER_HOST']) return;
  const up = await answers();
  const missing = [];
  if (!up && !has('dockerd')) missing.push('docker.io', 'iptables');
  if (canInstall()) {
    if (!has('debootstrap')) missing.push('debootstrap');
    if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) missing.push('python3-pip');
  } else if (!up) {
    giveUp(
      'No Docker engine answers, and it can be installed from here only as root on Debian or Ubuntu.',
      process.platform === 'linux'
        ? 'Install and start Docker (Debian, Ubuntu: `sudo apt-get install docker.io && sudo systemctl start docker`), make sure that you may use it (group docker), and run `npm run setup` again.'
        : 'Install and start Docker Desktop (or colima), and run `npm run setup` again.',
    );
  }
  if (missing.length > 0) await aptInstall(missing);
  if (!up) await startEngine();
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  giveUp(
    `This is Node ${process.versions.node}; 20 or newer is needed to begin with.`,
    'Install Node 20 or newer and run `npm run setup` again.',
  );
}
await Promise.all([dependencies(), engine()]);
// npm run put node_modules/.bin first on PATH: `node` there is the pinned one, where the platform has a package of it.
const pinned = join(folder, 'node_modules', '.bin', 'node');
const second = spawnSync(existsSync(pinned) ? pinned : process.execPath, [join(folder, 'harness', 'cli.ts'), 'setup'], {
  stdio: 'inherit',
  cwd: folder,
});
process.exit(second.status ?? 1);

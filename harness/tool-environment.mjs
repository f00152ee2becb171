/**
 * The environment for npm, pip and Node when the project itself calls them. Each has dozens of settings, by variables and
 * by files, that make the same call do something else: leave packages out, install elsewhere, only pretend. So settings
 * are kept by a list: where to fetch from, through which proxy, with which keys and certificates. All others are left out.
 * Plain JavaScript: setup.mjs needs it before anything is installed.
 * @typedef {Readonly<Record<string, string | undefined>>} Environment variables of a process
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { devNull, homedir, tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';

/** npm's settings that say where packages are from: registries, keys for them (`//host/:_authToken`), network. */
const npmKept =
  /^(\/\/.+|@[^:]+:registry|registry|replace-registry-host|_auth(token)?|username|_password|(https?-)?proxy|no-?proxy|ca|cafile|cert|key|certfile|keyfile|strict-ssl|local-address|maxsockets|fetch-[a-z-]+|cache)$/iu;
/** pip's settings of the same kind. */
const pipKept =
  /^(index-url|extra-index-url|find-links|trusted-host|cert|client-cert|proxy|keyring-provider|(default-)?timeout|retries|cache-dir)$/u;
/** Node's own variables that are about certificates and proxies. */
const nodeKept = /^NODE_(EXTRA_CA_CERTS|TLS_REJECT_UNAUTHORIZED|USE_SYSTEM_CA|USE_ENV_PROXY)$/u;
/** Variables that change what Node, Python and tar do. */
const steering = /^(NODE_|PYTHON|TAR_OPTIONS$)/u;

/**
 * Without what changes Node, Python and tar (NODE_OPTIONS, NODE_ENV, PYTHONHOME …).
 * @param {Environment} [env]
 * @returns {Record<string, string>}
 */
export function nodeEnvironment(env = process.env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !steering.test(name) || nodeKept.test(name)));
}

/**
 * For npm: of its settings in variables, in the project's, the user's and the global npmrc, only where packages are from.
 * @param {string} projectFolder
 * @param {string} fallbackCache folder for npm's cache where the user's cannot be written
 * @param {Environment} [env]
 * @returns {Record<string, string>}
 */
export function npmEnvironment(projectFolder, fallbackCache, env = process.env) {
  const others = {};
  const byVariable = {};
  for (const [name, value] of Object.entries(nodeEnvironment(env))) {
    const key = /^npm_config_(.*)$/isu.exec(name)?.[1];
    if (key === undefined) others[name] = value;
    // Key names as npm reads them: those of a host stay as they are.
    else if (value !== '')
      byVariable[key.startsWith('//') ? key : key.replaceAll(/(?<!^)_/gu, '-').toLowerCase()] = value;
  }
  const userFile = byVariable.userconfig ?? join(homedir(), '.npmrc');
  const user = settingsOf(userFile);
  const prefix = byVariable.prefix ?? user.prefix ?? env['PREFIX'] ?? dirname(dirname(process.execPath));
  const globalFile = byVariable.globalconfig ?? join(prefix, 'etc', 'npmrc');
  const merged = { ...settingsOf(globalFile), ...user, ...settingsOf(join(projectFolder, '.npmrc')), ...byVariable };
  const kept = Object.fromEntries(Object.entries(merged).filter(([key]) => npmKept.test(key)));
  if (!canMake(kept.cache ?? join(homedir(), '.npm'))) kept.cache = fallbackCache;
  return {
    ...others,
    ...Object.fromEntries(Object.entries(kept).map(([key, value]) => [`npm_config_${key}`, value])),
    // Files that are not there: what counts of the user's own was read above.
    npm_config_userconfig: join(fallbackCache, 'no-user-npmrc'),
    npm_config_globalconfig: join(fallbackCache, 'no-global-npmrc'),
  };
}

/**
 * How npm is called: the npm that called this process, else the one on PATH.
 * @param {Environment} [env]
 * @returns {[string, ...string[]]}
 */
export function npmCommand(env = process.env) {
  const npm = env['npm_execpath'] ?? '';
  return basename(npm) === 'npm-cli.js' ? [process.execPath, npm] : ['npm'];
}

/** Options of npm: how long a registry that does not answer is asked. By npm's own times a machine without a network would be silent for minutes before it says so. */
export const npmPatience = [
  ...['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000', '--fetch-timeout=60000'],
];

/**
 * Why npm failed, in one line of what it said, without a full stop.
 * @param {string} output
 * @returns {string}
 */
export function npmReason(output) {
  if (/\bENOSPC\b/u.test(output)) return 'the disk is full (ENOSPC)';
  // Above and below it stand codes, a stack and where the log lies.
  const said = /^npm (?:error|ERR!) (?!code |errno |syscall |path |\s)(?:[A-Za-z]*Error: )?(.+)$/mu.exec(output)?.[1];
  return (said ?? output.trim().split('\n').at(-1) ?? '').trim().replace(/\.$/u, '') || 'it said nothing';
}

/**
 * For pip: of its settings in variables and files, only where packages are from.
 * @param {Environment} [env]
 * @returns {Record<string, string>}
 */
export function pipEnvironment(env = process.env) {
  const others = {};
  const kept = {};
  const read = {};
  for (const [name, value] of Object.entries(nodeEnvironment(env))) {
    const key = /^PIP_(.*)$/su.exec(name)?.[1]?.toLowerCase().replaceAll('_', '-');
    if (key === undefined) others[name] = value;
    else if (pipKept.test(key)) kept[name] = value;
    else if (key === 'config-file') read[name] = value;
  }
  const listed = spawnSync('python3', ['-m', 'pip', 'config', 'list'], {
    env: { ...others, ...read },
    encoding: 'utf8',
  });
  return { ...others, ...pipSettings(listed.stdout ?? ''), ...kept, PIP_CONFIG_FILE: devNull };
}

/** Of `pip config list`, what is kept, as variables; what is said for `pip download` goes before what is for all. */
function pipSettings(listed) {
  const settings = {};
  for (const section of ['global', 'download']) {
    for (const [, from, key = '', value = ''] of listed.matchAll(/^([a-z]+)\.([a-z-]+)=(['"].*['"])$/gmu)) {
      if (from !== section || !pipKept.test(key)) continue;
      // As Python writes a text: lines in it are addresses one below the other.
      const text = value.slice(1, -1).replaceAll('\\n', ' ').replaceAll(/\\(.)/gu, '$1');
      settings[`PIP_${key.toUpperCase().replaceAll('-', '_')}`] = text.trim();
    }
  }
  return settings;
}

/** The settings of an npmrc: `key = value`, and lists as `key[] = value`. @returns {Record<string, string>} */
function settingsOf(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return {};
  }
  const settings = {};
  for (const [, key = '', list, value = ''] of text.matchAll(
    /^[ \t]*([^\s;#[=][^=[\n]*?)(\[\])?[ \t]*=[ \t]*(.*?)[ \t\r]*$/gmu,
  )) {
    const plain = /^"(.*)"$/u.exec(value)?.[1]?.replaceAll('\\n', '\n') ?? value;
    // Several values are parted so in a variable.
    settings[key] = list !== undefined && settings[key] !== undefined ? `${settings[key]}\n\n${plain}` : plain;
  }
  return settings;
}

/**
 * Can this folder be written, or made?
 * @param {string} folder
 * @returns {boolean}
 */
export function canMake(folder) {
  try {
    if (!existsSync(folder)) {
      // Not `recursive`, which never ends below /proc (Node 20).
      if (dirname(folder) === folder || !canMake(dirname(folder))) return false;
      mkdirSync(folder);
    }
    // Tried, since root has every right by the letter, on a read-only disk and below /proc too.
    rmdirSync(mkdtempSync(join(folder, '.trial-')));
    return true;
  } catch {
    return false;
  }
}

/**
 * A folder for temporary files, where the system's (or TMPDIR's) cannot be written; undefined where it can.
 * @param {string} cache the project's own, in which one may lie
 */
export function otherTemporaryFolder(cache) {
  const own = join(cache, 'tmp');
  // What a variable names and is not there is not made.
  if (existsSync(tmpdir()) && canMake(tmpdir())) return undefined;
  return [own, '/var/tmp', '/tmp'].find((folder) => canMake(folder));
}

/**
 * For tools of the system that root calls, and the packages' own scripts in a chroot: no folder of the user's.
 * @param {Environment} [env]
 * @returns {Record<string, string>}
 */
export function rootEnvironment(env = process.env) {
  const kept = Object.entries(nodeEnvironment(env)).filter(
    ([name]) => !/^(TMPDIR|TMP|TEMP|DEBOOTSTRAP_.*)$/u.test(name),
  );
  const path = [...(env['PATH'] ?? '').split(delimiter).filter(Boolean), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  return { ...Object.fromEntries(kept), PATH: [...new Set(path)].join(delimiter) };
}

/**
 * Where the engine is, as Docker's own client finds it: DOCKER_HOST, else DOCKER_CONTEXT, else the current context of
 * ~/.docker/config.json, else the socket of this machine. Plain JavaScript: setup.mjs asks it before anything is
 * installed (its types: engine-address.d.mts).
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The context that is asked for does not exist, or cannot be read. */
export class ContextError extends Error {}

/** Sockets of engines of this machine that belong to a user: rootless, Docker Desktop, colima. */
const userSockets = (env, home) => [
  ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, 'docker.sock')] : []),
  join(home, '.docker', 'run', 'docker.sock'),
  join(home, '.colima', 'default', 'docker.sock'),
];
const systemSocket = '/var/run/docker.sock';

/** @type {typeof import('./engine-address.d.mts').engineAddress} */
export function engineAddress(env = process.env, home = homedir()) {
  if (env.DOCKER_HOST) return parse(env.DOCKER_HOST, `DOCKER_HOST (${env.DOCKER_HOST})`, tlsOfEnvironment(env, home));
  const folder = env.DOCKER_CONFIG || join(home, '.docker');
  const name = env.DOCKER_CONTEXT || currentContext(folder);
  if (name !== undefined && name !== 'default') return ofContext(folder, name);
  const socket = [systemSocket, ...userSockets(env, home)].find((path) => existsSync(path)) ?? systemSocket;
  return { kind: 'unix', socketPath: socket, named: null };
}

/** @param {string} folder @returns {string | undefined} */
function currentContext(folder) {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')).currentContext || undefined;
  } catch (error) {
    throw new ContextError(`${path}, which names the current Docker context, cannot be read: ${error.message}`);
  }
}

/** @param {string} folder @param {string} name */
function ofContext(folder, name) {
  const id = createHash('sha256').update(name).digest('hex');
  const path = join(folder, 'contexts', 'meta', id, 'meta.json');
  if (!existsSync(path)) throw new ContextError(`There is no Docker context ${JSON.stringify(name)} in ${folder}.`);
  let endpoint;
  try {
    endpoint = JSON.parse(readFileSync(path, 'utf8')).Endpoints?.docker;
  } catch (error) {
    throw new ContextError(`The Docker context ${JSON.stringify(name)} cannot be read: ${error.message}`);
  }
  if (typeof endpoint?.Host !== 'string' || endpoint.Host === '') {
    throw new ContextError(`The Docker context ${JSON.stringify(name)} names no engine.`);
  }
  const tls = tlsIn(join(folder, 'contexts', 'tls', id, 'docker'), endpoint.SkipTLSVerify !== true);
  return parse(endpoint.Host, `the Docker context ${JSON.stringify(name)} (${endpoint.Host})`, tls);
}

/** With DOCKER_TLS_VERIFY the engine must prove itself; DOCKER_CERT_PATH alone encrypts without that, as the client does. */
function tlsOfEnvironment(env, home) {
  if (!env.DOCKER_TLS_VERIFY && !env.DOCKER_TLS) return null;
  const folder = env.DOCKER_CERT_PATH || env.DOCKER_CONFIG || join(home, '.docker');
  return tlsIn(folder, Boolean(env.DOCKER_TLS_VERIFY)) ?? { verify: Boolean(env.DOCKER_TLS_VERIFY) };
}

/** Those of ca.pem, cert.pem and key.pem that exist; null without any. */
function tlsIn(folder, verify) {
  const found = ['ca', 'cert', 'key'].flatMap((part) => {
    const path = join(folder, `${part}.pem`);
    return existsSync(path) ? [[part, readFileSync(path, 'utf8')]] : [];
  });
  return found.length === 0 ? null : { ...Object.fromEntries(found), verify };
}

/** @param {string} text @param {string} named @param {object | null} tls */
function parse(text, named, tls) {
  if (text.startsWith('unix://'))
    return { kind: 'unix', socketPath: text.slice('unix://'.length) || systemSocket, named };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // `localhost:2375` is a URL whose scheme is localhost.
  if (url === undefined || !/^(tcp|https?|ssh):$/u.test(url.protocol) || url.hostname === '') {
    if (/^[\w.-]+:\d+$/u.test(text)) return parse(`tcp://${text}`, named, tls);
    throw new ContextError(`${named} is no address of an engine: unix://, tcp:// and ssh:// are.`);
  }
  if (url.protocol === 'ssh:') {
    return { kind: 'ssh', destination: sshDestination(url), port: url.port || null, named };
  }
  const host = url.hostname.replace(/^\[|\]$/gu, '');
  const isTls = tls !== null || url.protocol === 'https:';
  return {
    kind: 'tcp',
    host,
    port: Number(url.port || (isTls ? 2376 : 2375)),
    tls: isTls ? (tls ?? { verify: true }) : null,
    named,
  };
}

function sshDestination({ username, hostname }) {
  return username === '' ? hostname : `${decodeURIComponent(username)}@${hostname}`;
}

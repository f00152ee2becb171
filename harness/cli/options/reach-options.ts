/** `--url` and `--resolve`: where requests go. */
import { isIP } from 'node:net';
import { resolveHost, socketProblem } from '../../conduct/service/address.ts';
import { firstListening } from '../../in-lab/connection/name-watch.ts';
import type { MeasureOptions } from './measure-options.ts';
import { expand, shownPath, type Told } from '../../gate/files/secrets.ts';
import { optionError } from './option-values.ts';

/** `--url`, read. */
type ToldUrl = ReturnType<typeof parseUrl>;

/** Linux's bound, less the byte that ends it. */
const longestSocketPath = 107;

/**
 * Reads `--url`: as a URL (of a Unix socket, `http://localhost` and the path of its requests), and with its origin as the
 * user wrote it.
 * @returns `socketPath` is null where requests go to a port
 * @throws {HarnessError} when it is none that can be asked
 */
export function parseUrl(text: string | undefined, environment: NodeJS.ProcessEnv) {
  if (text === undefined) {
    throw optionError('measure needs --url: the service to ask.', 'Such as --url http://127.0.0.1:8080/');
  }
  if (text.startsWith('unix:')) return socketUrl(text, environment);
  const url = URL.parse(expand('--url', text, environment));
  if (url === null) throw optionError('--url is not a URL.', 'Such as http://127.0.0.1:8080/path');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw optionError(`--url must begin with http://, https:// or unix:/, not ${url.protocol}//.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw optionError('--url must not hold a user name or password; send an Authorization header with --header.');
  }
  const typedPath = /^[^:]*:\/\/[^/?#]*([^#]*)/u.exec(text)?.[1] ?? '';
  return { url, origin: url.origin, path: toldPath(url, typedPath), socketPath: null };
}

/** `unix:/run/shop.sock`, or with a path of the request behind another colon. */
function socketUrl(text: string, environment: NodeJS.ProcessEnv) {
  const [, typedSocket = '', typedPath = '/'] = /^unix:(\/[^:]*)(?::(\/.*))?$/su.exec(text) ?? [];
  const socketPath = expand('--url', typedSocket, environment);
  if (socketPath === '') {
    throw optionError(
      '--url names no Unix socket by its whole path.',
      'Such as unix:/run/shop.sock, or unix:/run/shop.sock:/path',
    );
  }
  if (Buffer.byteLength(socketPath) > longestSocketPath) {
    throw optionError(`The path of a Unix socket has at most ${longestSocketPath} bytes, and that of --url more.`);
  }
  const url = URL.parse(`http://localhost${expand('--url', typedPath, environment)}`);
  if (url === null) throw optionError('--url is not a URL.', 'Such as unix:/run/shop.sock:/path');
  return { url, origin: `unix:${socketPath}:`, path: toldPath(url, typedPath.replace(/#.*$/su, '')), socketPath };
}

/** A path without secrets is written as it is sent. */
function toldPath(url: URL, typed: string): Told {
  const shown = shownPath(typed);
  const sent = `${url.pathname}${url.search}`;
  const isPlain = shown === typed && !typed.includes('${');
  return { sent, shown: isPlain ? sent : shown.startsWith('/') ? shown : `/${shown}` };
}

/**
 * Finds the service.
 * @returns its IP address or the path of its socket, and the name that is looked up again under the load; null where none is
 * @throws {HarnessError} when its host has no address, or this user may not open its socket
 */
export async function reachOf({ url, socketPath }: ToldUrl, { resolve = [] }: MeasureOptions) {
  if (socketPath !== null) {
    if (resolve.length > 0) throw optionError('--resolve is about names, and --url is a Unix socket.');
    const problem = await socketProblem(socketPath);
    if (problem === null) return { address: socketPath, port: null, name: null };
    throw optionError(
      `This user cannot connect to the socket ${socketPath} (${problem}).`,
      problem === 'EPROTOTYPE' ? 'It must be a stream socket.' : 'Its mode, or that of a folder above it, forbids it.',
    );
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const given = resolve.map(parseResolve).findLast((one) => one.port === port && isHost(one.host, url.hostname));
  if (given !== undefined) return { address: (await firstListening(given.addresses, port)) ?? '', port, name: null };
  if (resolve.length > 0)
    throw optionError(`--resolve is about other hosts or ports than ${url.hostname}:${port} of --url.`);
  return { ...(await resolveHost(url.hostname, port)), port };
}

function isHost(given: string, hostname: string): boolean {
  return given === '*' || given.toLowerCase() === hostname;
}

/** As curl has it: host:port:address[,address]…, IPv6 in brackets or not; a + before it is about curl's own cache. */
function parseResolve(text: string): { host: string; port: number; addresses: string[] } {
  const [, host = '', port, list = ''] = /^\+?([^:]+):(\d{1,5}):(.+)$/u.exec(text) ?? [];
  const addresses = list.split(',').map((address) => address.replace(/^\[(.*)\]$/u, '$1'));
  if (port !== undefined && addresses.every((address) => isIP(address) !== 0)) {
    return { host, port: Number(port), addresses };
  }
  throw optionError(
    `--resolve must be host:port:address with an IP address, not ${JSON.stringify(text)}.`,
    'Such as shop.example:443:127.0.0.1',
  );
}

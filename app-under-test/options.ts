/** What the site can be told: each option is a flag and an environment variable, and the command line wins. */
import { parseArgs } from 'node:util';
import { parseListenAddress, type ListenAddress } from './address.ts';
import { parseDuration } from './duration.ts';

/** How the site leaves at SIGTERM; see drain.ts. */
export type DrainStyle = 'polite' | 'naive' | 'none';

/** Values of SQLite's `PRAGMA synchronous`. */
export type Synchronous = 'OFF' | 'NORMAL' | 'FULL' | 'EXTRA';

/** How a write begins its transaction: taking the lock, or reading first; see store-worker.ts. */
export type TransactionMode = 'immediate' | 'deferred';

/** A planted fault: what a test of a test wants to see caught. */
const faults = [
  'none',
  'ack-before-commit',
  'apply-twice',
  'crash-at-start',
  'never-ready',
  'wrong-body',
  'old-version',
  'stall',
  'cut-answer',
  'no-answer',
  'wrong-text',
  'slow-answers',
  'ignore-sigterm',
] as const;

/** One of them. */
export type Fault = (typeof faults)[number];

/** The options after parsing. All durations are in milliseconds. */
export interface Options {
  readonly listenAddress: ListenAddress;
  readonly internalListenAddress: ListenAddress;
  readonly shutdownGracePeriodMs: number;
  readonly shutdownTimeoutMs: number;
  readonly warmUpMs: number;
  readonly drain: DrainStyle;
  readonly drainQuietMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly databasePath: string;
  readonly busyTimeoutMs: number;
  readonly synchronous: Synchronous;
  readonly transaction: TransactionMode;
  readonly transactionHoldMs: number;
  readonly fault: Fault;
  readonly versionName: string;
}

/** A mistake in how the site was started. Its message is one sentence for the person who started it. */
export class UsageError extends Error {}

interface Flag {
  readonly value: string;
  readonly env: string;
  readonly fallback: string;
  readonly help: string;
}

const flags = {
  'listen-addr': {
    value: 'address',
    env: 'APP_LISTEN_ADDR',
    fallback: ':8080',
    help: 'Public port, accepts only once warm. Not used when systemd passes a socket (LISTEN_FDS).',
  },
  'internal-listen-addr': {
    value: 'address',
    env: 'APP_INTERNAL_LISTEN_ADDR',
    fallback: ':8082',
    help: 'Port of /livez, /readyz and /healthz. Listens at once.',
  },
  'shutdown-grace-period': {
    value: 'duration',
    env: 'APP_SHUTDOWN_GRACE_PERIOD',
    fallback: '50ms',
    help: 'How long to serve on after SIGTERM, not ready, so that a proxy can notice.',
  },
  'shutdown-timeout': {
    value: 'duration',
    env: 'APP_SHUTDOWN_TIMEOUT',
    fallback: '1s',
    help: 'How long the graceful shutdown after that may take. What is left then is cut.',
  },
  'warm-up': {
    value: 'duration',
    env: 'APP_WARM_UP',
    fallback: '0',
    help: 'How long to warm up, by rehearsing, before the public port accepts.',
  },
  drain: {
    value: 'style',
    env: 'APP_DRAIN',
    fallback: 'polite',
    help: 'polite: every kept connection is ended by an answer. naive: idle ones are ended at once. none: die of SIGTERM.',
  },
  'drain-quiet': {
    value: 'duration',
    env: 'APP_DRAIN_QUIET',
    fallback: '1s',
    help: 'In a polite drain, end idle connections after this long without any request.',
  },
  'keep-alive-timeout': {
    value: 'duration',
    env: 'APP_KEEP_ALIVE_TIMEOUT',
    fallback: '120s',
    help: "How long an idle connection is kept; should exceed the proxy's own (90s in Traefik).",
  },
  database: { value: 'path', env: 'APP_DATABASE', fallback: 'site.db', help: 'The SQLite file, made when missing.' },
  'busy-timeout': {
    value: 'duration',
    env: 'APP_BUSY_TIMEOUT',
    fallback: '20s',
    help: "How long a write waits for the database's lock before it is answered 503.",
  },
  synchronous: {
    value: 'mode',
    env: 'APP_SYNCHRONOUS',
    fallback: 'NORMAL',
    help: "SQLite's PRAGMA synchronous: OFF, NORMAL, FULL or EXTRA.",
  },
  transaction: {
    value: 'mode',
    env: 'APP_TRANSACTION',
    fallback: 'immediate',
    help: 'How a write begins: immediate takes the lock first, deferred reads first and may be refused at once.',
  },
  'transaction-hold': {
    value: 'duration',
    env: 'APP_TRANSACTION_HOLD',
    fallback: '0',
    help: 'How long a write works between the beginning of its transaction and its INSERT.',
  },
  fault: {
    value: 'name',
    env: 'APP_FAULT',
    fallback: 'none',
    help: 'For those who test tests: ack-before-commit answers a write 200 ms before it is written, apply-twice writes it twice, wrong-text stores another text than was sent (every fiftieth write), slow-answers takes 450 ms for each answer, ignore-sigterm goes on at SIGTERM, crash-at-start exits 1, never-ready warms up for ever; and one answer of each process is spoilt: wrong-body, old-version (every tenth), stall (2 s late), cut-answer (reset in mid-body), no-answer (of a write, and not logged).',
  },
  'version-name': {
    value: 'name',
    env: 'APP_VERSION',
    fallback: 'dev',
    help: 'The version in every answer (X-App-Version) and log line.',
  },
} as const satisfies Record<string, Flag>;

type FlagName = keyof typeof flags;

const flagNames = Object.keys(flags) as FlagName[];

/**
 * The options, from arguments (`--flag value` or `--flag=value`), else from the environment, else the defaults.
 * An environment variable that is set to nothing counts as not set. Returns 'help' when `--help` is among the
 * arguments. Throws UsageError for an unknown flag or a bad value.
 */
export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options | 'help' {
  const given = readArguments(args);
  if (given === 'help') return 'help';

  const read = <T>(name: FlagName, parse: (text: string) => T): T => {
    const flag = flags[name];
    const fromEnv = env[flag.env];
    const [text, source] =
      given[name] !== undefined
        ? [given[name], `--${name}`]
        : fromEnv !== undefined && fromEnv !== ''
          ? [fromEnv, flag.env]
          : [flag.fallback, `--${name}`];
    try {
      return parse(text);
    } catch (error) {
      throw new UsageError(`${source}: ${(error as Error).message}.`);
    }
  };

  return {
    listenAddress: read('listen-addr', parseListenAddress),
    internalListenAddress: read('internal-listen-addr', parseListenAddress),
    shutdownGracePeriodMs: read('shutdown-grace-period', parseDuration),
    shutdownTimeoutMs: read('shutdown-timeout', parseDuration),
    warmUpMs: read('warm-up', parseDuration),
    drain: read('drain', oneOf('polite', 'naive', 'none')),
    drainQuietMs: read('drain-quiet', parseDuration),
    keepAliveTimeoutMs: read('keep-alive-timeout', parseDuration),
    databasePath: read('database', notEmpty),
    busyTimeoutMs: read('busy-timeout', parseDuration),
    synchronous: read('synchronous', (text) => oneOf('OFF', 'NORMAL', 'FULL', 'EXTRA')(text.toUpperCase())),
    transaction: read('transaction', oneOf('immediate', 'deferred')),
    transactionHoldMs: read('transaction-hold', parseDuration),
    fault: read('fault', oneOf(...faults)),
    versionName: read('version-name', headerSafe),
  };
}

/** What `--help` prints: each flag with its environment variable and default. */
export function helpText(): string {
  const list = flagNames.map((name) => {
    const { value, env, fallback, help } = flags[name];
    return `  --${name} <${value}>\n      ${help}\n      Environment: ${env}. Default: ${fallback}.`;
  });
  return [
    'Usage: node main.ts [options]',
    '',
    'Serves notes from a SQLite file, and leaves politely at SIGTERM.',
    'Each option is a flag and an environment variable; the command line wins.',
    'Durations are written 50ms, 5s, 1m30s, 1.5s or 0; addresses :8080, 127.0.0.1:8080 or [::1]:8080.',
    '',
    'Options:',
    ...list,
    '  --help',
    '      Prints this.',
    '',
    'Example: node main.ts --listen-addr 127.0.0.1:8080 --shutdown-grace-period 5s --shutdown-timeout 10s',
    '',
  ].join('\n');
}

function readArguments(args: readonly string[]): Partial<Record<FlagName, string>> | 'help' {
  const config = Object.fromEntries(flagNames.map((name) => [name, { type: 'string' as const }]));
  const given: Partial<Record<FlagName, string>> = {};
  // Not strict: the tokens allow sentences that parseArgs's own errors do not.
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...config, help: { type: 'boolean' } },
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') throw new UsageError(`"${token.value}" is not a flag; see --help.`);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') return 'help';
    if (!isFlagName(token.name)) throw new UsageError(`${token.rawName} is not a flag of this program; see --help.`);
    if (token.value === undefined) throw new UsageError(`--${token.name} needs a value; see --help.`);
    given[token.name] = token.value;
  }
  return given;
}

function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(flags, name);
}

function oneOf<const T extends string>(...allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((value) => value === text);
    if (found === undefined) throw new Error(`"${text}" is not one of ${allowed.join(', ')}`);
    return found;
  };
}

function notEmpty(text: string): string {
  if (text === '') throw new Error('a path is missing');
  return text;
}

/** The version travels in a header, where spaces at the ends and control characters cannot. */
function headerSafe(text: string): string {
  if (!/^[\x21-\x7e]{1,128}$/u.test(text)) {
    throw new Error(`"${text}" is not a version name (1 to 128 printable ASCII characters without spaces)`);
  }
  return text;
}

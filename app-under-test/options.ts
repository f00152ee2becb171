/** What the site can be told: each option is a flag and an environment variable, and the command line wins. */
import { parseArgs } from 'node:util';
import { parseListenAddress } from './address.ts';
import { parseDuration } from './duration.ts';

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

/** A mistake in how the site was started. Its message is one sentence for the person who started it. */
export class UsageError extends Error {}

interface Flag {
  readonly flag: string;
  /** What its value is called in the help. */
  readonly value: string;
  readonly env: string;
  readonly fallback: string;
  readonly help: string;
  /** Throws an Error that says what is wrong with the text. */
  readonly parse: (text: string) => unknown;
}

const address = { value: 'address', parse: parseListenAddress };
const duration = { value: 'duration', parse: parseDuration };

/** Each option by its name in the program; durations are in milliseconds. */
const flags = {
  listenAddress: {
    ...address,
    flag: 'listen-addr',
    env: 'APP_LISTEN_ADDR',
    fallback: ':8080',
    help: 'Public port, accepts only once warm. Not used when systemd passes a socket (LISTEN_FDS).',
  },
  internalListenAddress: {
    ...address,
    flag: 'internal-listen-addr',
    env: 'APP_INTERNAL_LISTEN_ADDR',
    fallback: ':8082',
    help: 'Port of /livez, /readyz and /healthz. Listens at once.',
  },
  shutdownGracePeriodMs: {
    ...duration,
    flag: 'shutdown-grace-period',
    env: 'APP_SHUTDOWN_GRACE_PERIOD',
    fallback: '50ms',
    help: 'How long to serve on after SIGTERM, not ready, so that a proxy can notice.',
  },
  shutdownTimeoutMs: {
    ...duration,
    flag: 'shutdown-timeout',
    env: 'APP_SHUTDOWN_TIMEOUT',
    fallback: '1s',
    help: 'How long the graceful shutdown after that may take. What is left then is cut.',
  },
  warmUpMs: {
    ...duration,
    flag: 'warm-up',
    env: 'APP_WARM_UP',
    fallback: '0',
    help: 'How long to warm up, by rehearsing, before the public port accepts.',
  },
  drain: {
    flag: 'drain',
    value: 'style',
    parse: oneOf('polite', 'naive', 'none'),
    env: 'APP_DRAIN',
    fallback: 'polite',
    help: 'polite: every kept connection is ended by an answer. naive: idle ones are ended at once. none: die of SIGTERM.',
  },
  drainQuietMs: {
    ...duration,
    flag: 'drain-quiet',
    env: 'APP_DRAIN_QUIET',
    fallback: '1s',
    help: 'In a polite drain, end idle connections after this long without any request.',
  },
  keepAliveTimeoutMs: {
    ...duration,
    flag: 'keep-alive-timeout',
    env: 'APP_KEEP_ALIVE_TIMEOUT',
    fallback: '120s',
    help: "How long an idle connection is kept; should exceed the proxy's own (90s in Traefik).",
  },
  databasePath: {
    flag: 'database',
    value: 'path',
    parse: notEmpty,
    env: 'APP_DATABASE',
    fallback: 'site.db',
    help: 'The SQLite file, made when missing.',
  },
  busyTimeoutMs: {
    ...duration,
    flag: 'busy-timeout',
    env: 'APP_BUSY_TIMEOUT',
    fallback: '20s',
    help: "How long a write waits for the database's lock before it is answered 503.",
  },
  synchronous: {
    flag: 'synchronous',
    value: 'mode',
    parse: (text: string) => oneOf('OFF', 'NORMAL', 'FULL', 'EXTRA')(text.toUpperCase()),
    env: 'APP_SYNCHRONOUS',
    fallback: 'NORMAL',
    help: "SQLite's PRAGMA synchronous: OFF, NORMAL, FULL or EXTRA.",
  },
  transaction: {
    flag: 'transaction',
    value: 'mode',
    parse: oneOf('immediate', 'deferred'),
    env: 'APP_TRANSACTION',
    fallback: 'immediate',
    help: 'How a write begins: immediate takes the lock first, deferred reads first and may be refused at once.',
  },
  transactionHoldMs: {
    ...duration,
    flag: 'transaction-hold',
    env: 'APP_TRANSACTION_HOLD',
    fallback: '0',
    help: 'How long a write works between the beginning of its transaction and its INSERT.',
  },
  fault: {
    flag: 'fault',
    value: 'name',
    parse: oneOf(...faults),
    env: 'APP_FAULT',
    fallback: 'none',
    help: 'For those who test tests: ack-before-commit answers a write 200 ms before it is written, apply-twice writes it twice, wrong-text stores another text than was sent (every fiftieth write), slow-answers takes 450 ms for each answer, ignore-sigterm goes on at SIGTERM, crash-at-start exits 1, never-ready warms up for ever; and one answer of each process is spoilt: wrong-body, old-version (every tenth), stall (2 s late), cut-answer (reset in mid-body), no-answer (of a write, and not logged).',
  },
  versionName: {
    flag: 'version-name',
    value: 'name',
    parse: headerSafe,
    env: 'APP_VERSION',
    fallback: 'dev',
    help: 'The version in every answer (X-App-Version) and log line.',
  },
} as const satisfies Record<string, Flag>;

/** The options after parsing. */
export type Options = { readonly [Name in keyof typeof flags]: ReturnType<(typeof flags)[Name]['parse']> };

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
  const options = Object.entries<Flag>(flags).map(([name, { flag, env: variable, fallback, parse }]) => {
    const isFromEnv = given[flag] === undefined && env[variable] !== undefined && env[variable] !== '';
    try {
      return [name, parse(isFromEnv ? (env[variable] ?? '') : (given[flag] ?? fallback))];
    } catch (error) {
      throw new UsageError(`${isFromEnv ? variable : `--${flag}`}: ${(error as Error).message}.`);
    }
  });
  return Object.fromEntries(options) as Options;
}

/** What `--help` prints: each flag with its environment variable and default. */
export function helpText(): string {
  const list = Object.values<Flag>(flags).map(
    ({ flag, value, env, fallback, help }) =>
      `  --${flag} <${value}>\n      ${help}\n      Environment: ${env}. Default: ${fallback}.`,
  );
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

function readArguments(args: readonly string[]): Partial<Record<string, string>> | 'help' {
  const config = Object.fromEntries(Object.values(flags).map(({ flag }) => [flag, { type: 'string' as const }]));
  const given: Record<string, string> = {};
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
    if (!Object.hasOwn(config, token.name))
      throw new UsageError(`${token.rawName} is not a flag of this program; see --help.`);
    if (token.value === undefined) throw new UsageError(`--${token.name} needs a value; see --help.`);
    given[token.name] = token.value;
  }
  return given;
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

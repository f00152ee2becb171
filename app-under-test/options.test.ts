import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseListenAddress } from './address.ts';
import { helpText, parseOptions, UsageError } from './options.ts';

test('without anything said, the defaults hold', () => {
  expect(parseOptions([], {})).toEqual({
    listenAddress: { host: undefined, port: 8080 },
    internalListenAddress: { host: undefined, port: 8082 },
    shutdownGracePeriodMs: 50,
    shutdownTimeoutMs: 1000,
    warmUpMs: 0,
    drain: 'polite',
    drainQuietMs: 1000,
    keepAliveTimeoutMs: 120_000,
    databasePath: 'site.db',
    busyTimeoutMs: 20_000,
    synchronous: 'NORMAL',
    transaction: 'immediate',
    transactionHoldMs: 0,
    fault: 'none',
    versionName: 'dev',
  });
});

test('the command line wins over the environment, and the last of two flags wins', () => {
  const env = { APP_WARM_UP: '1s', APP_DRAIN: 'naive', APP_VERSION: 'v1', APP_DATABASE: '' };
  expect(parseOptions(['--warm-up=2s', '--drain', 'none', '--warm-up', '3s'], env)).toMatchObject({
    warmUpMs: 3000,
    drain: 'none',
    versionName: 'v1',
    databasePath: 'site.db',
  });
});

test.each([
  [['--no-such'], {}, '--no-such is not a flag of this program; see --help.'],
  [['stray'], {}, '"stray" is not a flag; see --help.'],
  [['--warm-up'], {}, '--warm-up needs a value; see --help.'],
  [['--warm-up', '5'], {}, '--warm-up: "5" is not a duration: a unit is missing (write 50ms, 5s, 1m30s, 1.5s or 0).'],
  [[], { APP_DRAIN: 'rude' }, 'APP_DRAIN: "rude" is not one of polite, naive, none.'],
  [[], { APP_VERSION: 'v 1' }, 'APP_VERSION: "v 1" is not a version name'],
  [['--database', ''], {}, '--database: a path is missing.'],
  [['--listen-addr', '8080'], {}, '--listen-addr: "8080" is not a listen address'],
] as [string[], Record<string, string>, string][])('%j with %j is refused in one sentence', (args, env, sentence) => {
  const parse = () => parseOptions(args, env);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(sentence);
});

test('help names every flag, its variable and its default', () => {
  expect(parseOptions(['--drain', 'rude', '--help'], {})).toBe('help');
  for (const part of ['--shutdown-grace-period', 'APP_SHUTDOWN_GRACE_PERIOD', 'Default: 50ms', 'APP_VERSION']) {
    expect(helpText()).toContain(part);
  }
});

test.each([
  [':8080', undefined, 8080],
  ['127.0.0.1:1', '127.0.0.1', 1],
  ['localhost:65535', 'localhost', 65_535],
  ['[::1]:80', '::1', 80],
])('%s is an address', (text, host, port) => {
  expect(parseListenAddress(text)).toEqual({ host, port });
});

test('no text makes an address with a port that does not exist', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.nat(200_000).map((port) => `h:${port}`),
      ),
      (text) => {
        try {
          expect(parseListenAddress(text).port).toBeLessThanOrEqual(65_535);
        } catch (error) {
          expect(String(error)).toContain('is not a listen address');
        }
      },
    ),
  );
});

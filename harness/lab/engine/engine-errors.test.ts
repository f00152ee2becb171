import { describe, expect, it } from 'vitest';
import { HarnessError } from '../../base/errors.ts';
import type { EngineAddress } from './engine-address.mjs';
import { connectionError, explained } from './engine-errors.ts';
import { isAtLeast } from './engine.ts';

const own: EngineAddress = { kind: 'unix', socketPath: '/var/run/docker.sock', named: null };
const named: EngineAddress = { kind: 'tcp', host: 'a', port: 1, tls: null, named: 'DOCKER_HOST (tcp://a:1)' };
const ssh: EngineAddress = { kind: 'ssh', destination: 'me@far', port: null, named: 'DOCKER_HOST (ssh://me@far)' };
const error = (message: string, more: object = {}): Error => Object.assign(new Error(message), more);
/** As docker-modem words what an engine answers. */
const answer = (statusCode: number, words: string): Error =>
  error(`(HTTP code ${statusCode}) server error - ${words} `, { statusCode });

describe('an engine that does not answer', () => {
  it.each<[Error, EngineAddress, string, RegExp]>([
    [error('connect EACCES /var/run/docker.sock', { code: 'EACCES' }), own, 'engine-denied', /may not use/u],
    [error('connect ENOENT /var/run/docker.sock', { code: 'ENOENT' }), own, 'engine-absent', /ENOENT/u],
    [
      error('', { code: 'ECONNREFUSED' }),
      named,
      'engine-unreachable',
      /DOCKER_HOST \(tcp:\/\/a:1\).*: ECONNREFUSED\.$/u,
    ],
    [error('aborted', { name: 'AbortError' }), named, 'engine-unreachable', /it kept silent/u],
    [error('Host key verification failed.'), ssh, 'engine-unreachable', /Host key verification failed\.$/u],
  ])('%s', (thrown, address, code, sentence) => {
    const told = connectionError(thrown, address);
    expect(told).toMatchObject({ code, exitCode: 4, message: expect.stringMatching(sentence) as string });
  });

  it('behind ssh has advice of its own', () => {
    expect(connectionError(error('x'), ssh).hint).toMatch(/`ssh me@far docker version`/u);
  });
});

describe('what goes wrong in the middle', () => {
  it.each<[Error, string, number]>([
    // The words of engines 20.10 and 27.
    [
      answer(
        500,
        'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network',
      ),
      'network-full',
      4,
    ],
    [answer(500, 'all predefined address pools have been fully subnetted'), 'network-full', 4],
    [answer(500, 'write /var/lib/docker/tmp/x: no space left on device'), 'engine-disk-full', 4],
    [answer(400, 'error mounting "/sys/fs/cgroup": mount: operation not permitted'), 'cgroup-read-only', 4],
    [
      answer(400, "cannot share the host or another container's network namespace when user namespaces are enabled"),
      'engine-setting',
      4,
    ],
    [
      answer(400, 'OCI runtime create failed: error setting rlimit type 7: operation not permitted'),
      'engine-setting',
      4,
    ],
    [answer(400, "logger: max-buffer-size option is only supported with 'mode=non-blocking'"), 'engine-setting', 4],
    [answer(400, 'unknown or invalid runtime name: runc'), 'engine-setting', 4],
    [answer(400, 'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"'), 'engine-setting', 4],
    [answer(403, 'authorization denied by plugin opa: no'), 'engine-setting', 4],
    [answer(404, 'No such container: 3f'), 'engine-lost', 3],
    [answer(409, 'Container 3f is not running'), 'engine-lost', 3],
    [answer(404, 'No such image: restart-proof/lab:x'), 'image-missing', 4],
    [answer(500, 'something else'), 'engine-refused', 4],
    [error('socket hang up', { code: 'ECONNRESET' }), 'engine-lost', 3],
    [error('connect ENOENT /var/run/docker.sock', { code: 'ENOENT', syscall: 'connect' }), 'engine-lost', 3],
    [error('ENOSPC: no space left on device, write', { code: 'ENOSPC', syscall: 'write' }), 'disk-full', 3],
    [error('EACCES: x', { code: 'EACCES', syscall: 'mkdir', path: '/r' }), 'out-not-writable', 4],
  ])('%s', (thrown, code, exitCode) => {
    const told = explained(thrown);
    expect(told).toMatchObject({ code, exitCode, cause: thrown });
    expect(told?.message).toMatch(/^[^\n]*[.)]$/u);
    expect(told?.message).not.toMatch(/HTTP code/u);
  });

  it('is left as it is where it is not the engine’s or the disk’s doing', () => {
    expect(explained(new TypeError('x is undefined'))).toBeUndefined();
    expect(explained(error('ENOENT: no such file', { code: 'ENOENT', syscall: 'open' }))).toBeUndefined();
    expect(explained(new HarnessError('run-missing', 'x'))).toBeUndefined();
    expect(explained('text')).toBeUndefined();
  });
});

describe('versions of the API', () => {
  it.each([
    ['1.41', true],
    ['1.40', false],
    ['1.9', false],
    ['1.100', true],
    ['2.0', true],
  ])('%s is at least 1.41: %s', (version, expected) => {
    expect(isAtLeast(version, '1.41')).toBe(expected);
  });
});

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { ContextError, engineAddress } from './engine-address.mjs';

const home = testFolder();
const folder = (): string => join(home, '.docker');

/** A context as `docker context create` writes it. */
function writeContext(name: string, endpoint: object | string, tls: Record<string, string> = {}): void {
  const id = createHash('sha256').update(name).digest('hex');
  mkdirSync(join(folder(), 'contexts', 'meta', id), { recursive: true });
  const text =
    typeof endpoint === 'string' ? endpoint : JSON.stringify({ Name: name, Endpoints: { docker: endpoint } });
  writeFileSync(join(folder(), 'contexts', 'meta', id, 'meta.json'), text);
  for (const [file, content] of Object.entries(tls)) {
    mkdirSync(join(folder(), 'contexts', 'tls', id, 'docker'), { recursive: true });
    writeFileSync(join(folder(), 'contexts', 'tls', id, 'docker', file), content);
  }
}

beforeAll(() => {
  writeContext('desktop-linux', { Host: `unix://${home}/.docker/run/docker.sock`, SkipTLSVerify: false });
  writeContext('far', { Host: 'ssh://me@far:2222' });
  writeContext(
    'tls',
    { Host: 'tcp://build:2376', SkipTLSVerify: true },
    { 'ca.pem': 'CA', 'cert.pem': 'C', 'key.pem': 'K' },
  );
  writeContext('empty', {});
  writeContext('broken', '{');
});

const at = (env: NodeJS.ProcessEnv) => engineAddress(env, home);

describe('DOCKER_HOST', () => {
  it.each<[string, object]>([
    ['unix:///run/user/1000/docker.sock', { kind: 'unix', socketPath: '/run/user/1000/docker.sock' }],
    ['tcp://10.0.0.5', { kind: 'tcp', host: '10.0.0.5', port: 2_375, tls: null }],
    ['tcp://[::1]:99', { kind: 'tcp', host: '::1', port: 99, tls: null }],
    ['localhost:2375', { kind: 'tcp', host: 'localhost', port: 2_375, tls: null }],
    ['ssh://me@far:2222', { kind: 'ssh', destination: 'me@far', port: '2222' }],
    ['ssh://far', { kind: 'ssh', destination: 'far', port: null }],
  ])('%s', (text, address) => {
    expect(at({ DOCKER_HOST: text })).toEqual({ ...address, named: `DOCKER_HOST (${text})` });
  });

  it('comes before a context', () => {
    expect(at({ DOCKER_HOST: 'tcp://a:1', DOCKER_CONTEXT: 'far' })).toMatchObject({ host: 'a' });
  });

  it('takes TLS from DOCKER_TLS_VERIFY and DOCKER_CERT_PATH', () => {
    writeFileSync(join(home, 'ca.pem'), 'CA');
    expect(at({ DOCKER_HOST: 'tcp://a', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: home })).toMatchObject({
      port: 2_376,
      tls: { ca: 'CA', verify: true },
    });
  });

  it.each(['nonsense', 'npipe:////./pipe/docker', 'tcp://', 'ftp://a'])('%s is refused', (text) => {
    expect(() => at({ DOCKER_HOST: text })).toThrow(ContextError);
  });
});

describe('a context', () => {
  it('is that of DOCKER_CONTEXT, else the current one, else none', () => {
    expect(at({ DOCKER_CONTEXT: 'far' })).toEqual({
      kind: 'ssh',
      destination: 'me@far',
      port: '2222',
      named: 'the Docker context "far" (ssh://me@far:2222)',
    });
    writeFileSync(join(folder(), 'config.json'), JSON.stringify({ currentContext: 'desktop-linux' }));
    expect(at({})).toMatchObject({ kind: 'unix', socketPath: `${home}/.docker/run/docker.sock` });
    expect(at({ DOCKER_CONTEXT: 'default' })).toMatchObject({ kind: 'unix', named: null });
    writeFileSync(join(folder(), 'config.json'), '{}');
    expect(at({})).toMatchObject({ kind: 'unix', named: null });
  });

  it('brings its keys, and whether the engine must prove itself', () => {
    expect(at({ DOCKER_CONTEXT: 'tls' })).toMatchObject({
      kind: 'tcp',
      port: 2_376,
      tls: { ca: 'CA', cert: 'C', key: 'K', verify: false },
    });
  });

  it.each([
    ['none', /no Docker context "none"/u],
    ['empty', /names no engine/u],
    ['broken', /cannot be read/u],
  ])('%s is refused in a sentence', (name, sentence) => {
    expect(() => at({ DOCKER_CONTEXT: name })).toThrow(sentence);
  });

  it('is looked for where DOCKER_CONFIG says', () => {
    expect(() => at({ DOCKER_CONTEXT: 'far', DOCKER_CONFIG: '/nonexistent' })).toThrow('/nonexistent');
  });
});

import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  canMake,
  nodeEnvironment,
  npmCommand,
  npmEnvironment,
  npmReason,
  otherTemporaryFolder,
  pipEnvironment,
  rootEnvironment,
} from './tool-environment.mjs';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tool-environment-'));
  mkdirSync(join(folder, 'project'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A user whose npmrc is this, with these variables. */
function npmFor(npmrc: string, env: Record<string, string> = {}): Record<string, string> {
  const file = join(folder, 'npmrc');
  writeFileSync(file, npmrc);
  const base = {
    PATH: process.env['PATH'],
    npm_config_userconfig: file,
    npm_config_globalconfig: join(folder, 'none'),
  };
  return npmEnvironment(join(folder, 'project'), join(folder, 'cache'), { ...base, ...env });
}

describe('the environment for npm', () => {
  const steering =
    'OMIT ONLY PRODUCTION IGNORE_SCRIPTS DRY_RUN GLOBAL LOCATION PREFIX WORKSPACES WORKSPACE ENGINE_STRICT PACKAGE_LOCK ' +
    'PACKAGE_LOCK_ONLY INSTALL_STRATEGY OS CPU LIBC BEFORE OFFLINE';
  it.each([
    ['NODE_ENV', 'production'],
    ['NODE_OPTIONS', '--require /nowhere.js'],
    ['NODE_PATH', '/elsewhere'],
    ...steering.split(' ').map((name) => [`NPM_CONFIG_${name}`, 'true']),
  ] as [string, string][])('leaves out %s=%s', (name, value) => {
    const env = npmFor('', { [name]: value });
    expect(Object.keys(env).map((key) => key.toLowerCase())).not.toContain(name.toLowerCase());
  });

  it('keeps registries, their keys, the proxy and certificates, from variables and from files', () => {
    const npmrc = [
      'registry = https://mirror.example/npm/',
      '@own:registry=https://own.example/',
      '//own.example/:_authToken=${OWN_TOKEN}',
      'cafile="/etc/own ca.pem"',
      'ca[]=one',
      'ca[]=two',
      '; proxy=http://comment.example',
      'omit=dev',
      'omit[]=optional',
      'dry-run=true',
      'os=aix',
    ].join('\n');
    const env = npmFor(npmrc, {
      NPM_CONFIG_HTTPS_PROXY: 'http://proxy.example:3128',
      OWN_TOKEN: 'secret',
      NODE_EXTRA_CA_CERTS: '/ca',
    });
    const npm = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('npm_config_')));
    expect(npm).toEqual({
      npm_config_registry: 'https://mirror.example/npm/',
      'npm_config_@own:registry': 'https://own.example/',
      'npm_config_//own.example/:_authToken': '${OWN_TOKEN}',
      npm_config_cafile: '/etc/own ca.pem',
      npm_config_ca: 'one\n\ntwo',
      'npm_config_https-proxy': 'http://proxy.example:3128',
      npm_config_userconfig: join(folder, 'cache', 'no-user-npmrc'),
      npm_config_globalconfig: join(folder, 'cache', 'no-global-npmrc'),
    });
    expect(env).toMatchObject({ OWN_TOKEN: 'secret', NODE_EXTRA_CA_CERTS: '/ca' });
  });

  it('lets a variable go before the file, as npm does', () => {
    expect(
      npmFor('registry=https://file.example/', { npm_config_registry: 'https://variable.example/' }),
    ).toMatchObject({
      npm_config_registry: 'https://variable.example/',
    });
  });

  it('has a cache that can be written', () => {
    expect(npmFor('', { npm_config_cache: '/proc/nowhere' })['npm_config_cache']).toBe(join(folder, 'cache'));
    const own = join(folder, 'own-cache');
    expect(npmFor('', { npm_config_cache: own })['npm_config_cache']).toBe(own);
  });

  it('is read by npm itself as meant', () => {
    const env = npmFor('registry=https://mirror.example/\n//mirror.example/:_authToken=${T}\nomit=dev\nglobal=true\n', {
      ...process.env,
      npm_config_userconfig: join(folder, 'npmrc'),
      NODE_ENV: 'production',
      NPM_CONFIG_OMIT: 'optional',
      T: 'of-the-variable',
    });
    const [npm, ...first] = npmCommand();
    const get = (key: string): string =>
      execaSync(npm, [...first, 'config', 'get', key], {
        env,
        extendEnv: false,
        cwd: join(folder, 'project'),
      }).stdout.trim();
    expect(get('registry')).toBe('https://mirror.example/');
    expect(get('omit')).toBe('');
    expect(get('global')).toBe('false');
  });
});

describe('why npm failed', () => {
  it.each([
    [
      'npm error code ECONNREFUSED\nnpm error syscall connect\nnpm error FetchError: request to http://x/ failed\nnpm error     at f (a.js:1:1)',
      'request to http://x/ failed',
    ],
    [
      'npm warn EBADENGINE x\nnpm warn tar TAR_ENTRY_ERROR ENOSPC: no space left\nnpm notice',
      'the disk is full (ENOSPC)',
    ],
    ['npm ERR! code E401\nnpm ERR! Unable to authenticate.\n', 'Unable to authenticate'],
    ['spawn npm ENOENT', 'spawn npm ENOENT'],
    ['', 'it said nothing'],
  ])('is one line of what it said: %j', (output, reason) => {
    expect(npmReason(output)).toBe(reason);
  });
});

describe('the environment for pip', () => {
  const config = (): string => join(folder, 'pip.conf');
  const bare = { PATH: process.env['PATH'] };

  it('keeps index, proxy and certificates, of variables and of its files, and nothing else', () => {
    writeFileSync(
      config(),
      '[global]\nindex-url = https://mirror.example/simple\nextra-index-url =\n  https://one.example\n  https://two.example\n' +
        'no-index = true\nrequire-virtualenv = true\ntarget = /elsewhere\n[download]\ncert = /own.pem\n[install]\nuser = true\n',
    );
    const env = pipEnvironment({
      ...bare,
      PIP_CONFIG_FILE: config(),
      PIP_PROXY: 'http://proxy.example',
      PIP_NO_INDEX: '1',
      PIP_DRY_RUN: '1',
      PIP_PREFIX: '/x',
      PYTHONHOME: '/nowhere',
      PYTHONPATH: '/nowhere',
    });
    // What the machine itself says (/etc/pip.conf) goes along.
    expect(env).toMatchObject({
      PIP_INDEX_URL: 'https://mirror.example/simple',
      PIP_EXTRA_INDEX_URL: 'https://one.example https://two.example',
      PIP_CERT: '/own.pem',
      PIP_PROXY: 'http://proxy.example',
      PIP_CONFIG_FILE: '/dev/null',
    });
    for (const name of Object.keys(env))
      expect(name).not.toMatch(/^PYTHON|^PIP_(NO_INDEX|REQUIRE|TARGET|USER|DRY|PREFIX)/u);
  });

  it('goes on where its file cannot be read', () => {
    writeFileSync(config(), 'this is no pip.conf');
    expect(pipEnvironment({ ...bare, PIP_CONFIG_FILE: config() })).toEqual({ ...bare, PIP_CONFIG_FILE: '/dev/null' });
  });
});

describe('other environments', () => {
  it('keep what is not about Node, Python or tar', () => {
    expect(
      nodeEnvironment({
        HOME: '/h',
        NODE_OPTIONS: '-r x',
        NODE_ENV: 'test',
        NODE_EXTRA_CA_CERTS: '/c',
        TAR_OPTIONS: '-v',
      }),
    ).toEqual({ HOME: '/h', NODE_EXTRA_CA_CERTS: '/c' });
  });

  it('give root’s tools the folders where they lie, and no folder for temporary files', () => {
    expect(rootEnvironment({ PATH: '/usr/bin:/own', TMPDIR: '/noexec', DEBOOTSTRAP_DIR: '/x' })).toEqual({
      PATH: '/usr/bin:/own:/usr/sbin:/sbin:/bin',
    });
  });
});

describe('a folder for temporary files', () => {
  const before = process.env['TMPDIR'];
  const other = (value: string): string | undefined => {
    process.env['TMPDIR'] = value;
    try {
      return otherTemporaryFolder(join(folder, 'project', '.cache'));
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  };

  it('is the system’s where that can be written, else one of the project', () => {
    expect(other(folder)).toBeUndefined();
    expect(other('/proc')).toBe(join(folder, 'project', '.cache', 'tmp'));
    expect(other(join(folder, 'not-there'))).toBe(join(folder, 'project', '.cache', 'tmp'));
  });
});

describe('a folder', () => {
  it('can be made below one that can be written, and not below /proc', () => {
    expect(canMake(join(folder, 'a', 'b'))).toBe(true);
    expect(canMake('/proc/a/b')).toBe(false);
    expect(canMake(join(fileURLToPath(import.meta.url), 'below-a-file'))).toBe(false);
  });
});

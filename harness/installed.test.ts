import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptiedFolder } from './base/testing-folder.ts';
import { markOf, packagesLeftOut } from './installed.mjs';

const folder = emptiedFolder();

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

describe('packages left out', () => {
  const other = process.platform === 'darwin' ? 'linux' : 'darwin';
  beforeEach(() => {
    write(
      'package-lock.json',
      JSON.stringify({
        packages: {
          '': { name: 'root' },
          'node_modules/there': { version: '1.0.0' },
          'node_modules/there/node_modules/nested': { version: '2.0.0' },
          'node_modules/developing': { version: '1.0.0', dev: true },
          'node_modules/@own/native': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] },
          'node_modules/elsewhere': { version: '1.0.0', optional: true, os: [other] },
          'node_modules/not-here': { version: '1.0.0', optional: true, os: [`!${process.platform}`] },
          'node_modules/of-elsewhere': { version: '1.0.0', optional: true },
        },
      }),
    );
    write('node_modules/there/package.json', '{"version":"1.0.0"}');
  });

  it('are those for this system that are not there, whatever made them optional', () => {
    expect(packagesLeftOut(folder)).toEqual(['nested', 'developing', '@own/native']);
  });

  it('are those of another version, and those whose package.json was cut', () => {
    write('node_modules/there/package.json', '{"version":"1.0');
    write('node_modules/there/node_modules/nested/package.json', '{"version":"1.9.0"}');
    write('node_modules/developing/package.json', '{"version":"1.0.0"}');
    write('node_modules/@own/native/package.json', '{"version":"1.0.0"}');
    expect(packagesLeftOut(folder)).toEqual(['there', 'nested']);
  });
});

describe('the mark of what is installed', () => {
  const mark = (): string => markOf([join(folder, 'node_modules'), join(folder, 'nowhere')]);
  beforeEach(() => {
    write('node_modules/one/index.js', 'text');
    write('node_modules/one/lib/deep.js', 'text');
    mkdirSync(join(folder, 'node_modules', '.bin'));
    symlinkSync('../one/index.js', join(folder, 'node_modules/.bin/one'));
  });

  it.each([
    ['a file is taken away', () => rmSync(join(folder, 'node_modules/one/lib/deep.js'))],
    ['a file is cut', () => write('node_modules/one/index.js', 'te')],
    ['a program may not be run any more', () => chmodSync(join(folder, 'node_modules/one/index.js'), 0o755)],
    ['a package is added', () => write('node_modules/two/index.js', '')],
    ['a link is gone', () => rmSync(join(folder, 'node_modules/.bin/one'))],
    ['all is gone', () => rmSync(join(folder, 'node_modules'), { recursive: true })],
  ])('changes when %s', (_, change) => {
    const before = mark();
    change();
    expect(mark()).not.toBe(before);
  });

  it('stays when a tool keeps a cache there, and when `node` is put first on the PATH', () => {
    const before = mark();
    write('node_modules/.vite/results.json', '{}');
    write('node_modules/.bin/node', '#!/bin/sh\n');
    expect(mark()).toBe(before);
  });
});

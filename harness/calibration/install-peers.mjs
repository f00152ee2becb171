#!/usr/bin/env node
/**
 * Installs the peers that `npm run calibrate -- --peers` and `npm run bench` stand beside: vegeta by the Go tool, oha by
 * cargo, wrk and h2load from Debian's packages. autocannon is a dependency already. What is there is left as it is; what cannot be
 * installed (no Go, no cargo, no root) is named and left out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../project.mjs';

const folder = join(cacheFolder(), 'peers', '/');
mkdirSync(folder, { recursive: true });

const peers = [
  {
    name: 'vegeta 12.13.0',
    file: `${folder}vegeta`,
    command: ['go', 'install', 'github.com/tsenart/vegeta/v12@v12.13.0'],
    environment: { GOBIN: folder },
  },
  {
    name: 'oha 1.16.0',
    file: `${folder}cargo/bin/oha`,
    command: ['cargo', 'install', 'oha', '--version', '1.16.0', '--locked', '--root', `${folder}cargo`],
  },
  debian('wrk', '/usr/bin/wrk', 'wrk'),
  debian('h2load', '/usr/bin/h2load', 'nghttp2-client'),
];

/** @param {string} name @param {string} file @param {string} packageName */
function debian(name, file, packageName) {
  return { name, file, command: ['apt-get', 'install', '-y', '--no-install-recommends', packageName] };
}

let failed = 0;
for (const { name, file, command, environment } of peers) {
  if (existsSync(file)) {
    console.error(`peers: ${name}: there`);
    continue;
  }
  console.error(`peers: ${name}: ${command.join(' ')}`);
  const [program, ...words] = command;
  const { status, error } = spawnSync(program, words, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...environment },
  });
  if (status === 0 && existsSync(file)) continue;
  failed++;
  console.error(`peers: ${name}: not installed (${error?.message ?? `status ${status}`}); it will be left out`);
}
process.exitCode = failed === 0 ? 0 : 1;

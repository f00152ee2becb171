/** autocannon on this machine, against a measured service. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { baselineCommand, parseBaseline, type Baseline, type Baselines } from '../load/baseline.ts';
import type { Service } from '../scenario/service.ts';

const program = createRequire(import.meta.url).resolve('autocannon');

/** One baseline; null when autocannon could not make one (a service that does not answer). */
export async function localBaseline({ url, method, headers, body }: Service): Promise<Baseline | null> {
  const { stdout } = await execa(process.execPath, baselineCommand(program, { url, method, headers, body }), {
    reject: false,
  });
  return parseBaseline(stdout);
}

/** Both baselines, with what made them. */
export async function baselinesOf(
  request: string,
  before: Baseline | null,
  after: Baseline | null,
): Promise<Baselines> {
  const { version } = JSON.parse(await readFile(join(dirname(program), 'package.json'), 'utf8')) as { version: string };
  return { tool: `autocannon ${version}`, request, before, after };
}

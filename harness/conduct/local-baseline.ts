/** autocannon on this machine, against a measured service. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { baselineCommand, parseBaseline, type Baseline, type BaselineRequest, type Baselines } from './baseline.ts';

const require = createRequire(import.meta.url);
const program = require.resolve('autocannon');

/** One baseline; null when autocannon could not make one (a service that does not answer). */
export async function localBaseline(
  { body, ...request }: Omit<BaselineRequest, 'bodyFile'> & { readonly body: Buffer | null },
  signal: AbortSignal,
): Promise<Baseline | null> {
  const folder = await mkdtemp(join(tmpdir(), 'baseline-'));
  try {
    const bodyFile = body === null ? null : join(folder, 'body');
    if (bodyFile !== null && body !== null) await writeFile(bodyFile, body);
    const command = baselineCommand(program, { ...request, bodyFile });
    const { stdout } = await execa(process.execPath, command, { reject: false, cancelSignal: signal });
    return parseBaseline(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Both baselines, with what made them. */
export function baselinesOf(request: string, before: Baseline | null, after: Baseline | null): Baselines {
  const { version } = require('autocannon/package.json') as { version: string };
  return { tool: `autocannon ${version}`, request, before, after };
}

/** `clean`: takes down labs that a crash, or `--keep`, left in the engine. */
import { exitCodes } from '../errors.ts';
import { connectEngine } from '../lab/engine.ts';
import { removeLeftovers } from '../lab/remove.ts';
import type { Context } from './context.ts';

/** Removes what carries our label, except of runs whose process is alive. */
export async function cleanCommand(context: Context): Promise<number> {
  const { docker } = await connectEngine();
  const { containers, networks, live } = await removeLeftovers(docker);
  context.stdout(
    containers + networks === 0
      ? 'Nothing of ours was left.\n'
      : `Removed ${containers} containers and ${networks} networks.\n`,
  );
  if (live.length > 0) context.stdout(`Left alone, still going on: ${live.join(', ')}.\n`);
  return exitCodes.pass;
}

/** `clean`: takes down labs that a crash, or `--keep`, left in the engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../base/errors.ts';
import { connectEngine } from '../lab/engine.ts';
import { heldBy } from '../lab/measuring-lock.ts';
import { ownerInWords } from '../lab/owner.ts';
import { removedLine, removeLab, standingLabs, type StandingLab } from '../lab/remove.ts';
import type { Context } from './context.ts';

/** The lock of an owner that has just ended takes a moment to go. */
const lookAgainMs = 1_500;

/** Removes what carries our label, except of runs that go on; says what it left alone, and why. */
export async function cleanCommand(context: Context): Promise<number> {
  const { docker } = await connectEngine();
  await heldBy(docker, context.signal);
  let labs = await standingLabs(docker);
  if (labs.some(isLive)) {
    await sleep(lookAgainMs, undefined, { signal: context.signal });
    labs = await standingLabs(docker);
  }
  for (const lab of labs) {
    if (isLive(lab)) continue;
    await removeLab(docker, lab);
    context.stdout(`${removedLine(lab)}\n`);
  }
  for (const lab of labs.filter(isLive)) context.stdout(`${leftLine(lab)}\n`);
  if (labs.length === 0) context.stdout('Nothing of ours was left.\n');
  return exitCodes.pass;
}

function isLive({ state }: StandingLab): boolean {
  return state === 'live';
}

/** What was left alone, and why. */
function leftLine({ runId, owner }: StandingLab): string {
  return `Left alone ${runId}: it is still going on (${ownerInWords(owner)}).`;
}

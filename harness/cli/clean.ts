/** `clean`: takes down labs that a crash, or `--keep`, left in the engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../base/errors.ts';
import { ownerInWords } from '../lab/owner.ts';
import type { StandingLab } from '../lab/remove.ts';
import { command } from './command.ts';

/** The lock of an owner that has just ended takes a moment to go. */
const lookAgainMs = 1_500;

/** Removes what carries our label, but for runs that go on, and says what it left alone and why. */
export const clean = command({
  name: 'clean',
  about: 'take down what a crash or --keep left in the engine',
  options: { '--images': 'the images of services (service.yaml), too; the next run builds what it needs again' },
  examples: ['npm run clean', 'npm run clean -- --images', 'DOCKER_CONTEXT=build npm run clean    # on another engine'],
  run: async (context, options) => {
    const { connectEngine } = await import('../lab/engine/engine.ts');
    const { heldBy } = await import('../lab/measuring-lock.ts');
    const { removedLine, removeLab, standingLabs } = await import('../lab/remove.ts');
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
    if (labs.length === 0) context.stdout('Nothing was left.\n');
    if (options.images === true) {
      const { removeServiceImages } = await import('../lab/own-service/image.ts');
      for (const tag of await removeServiceImages(docker)) context.stdout(`Removed the image ${tag}.\n`);
    }
    return exitCodes.pass;
  },
});

const isLive = ({ state }: StandingLab): boolean => state === 'live';

/** What was left alone, and why. */
function leftLine({ runId, owner }: StandingLab): string {
  return `Left alone ${runId}: it is still going on (${ownerInWords(owner)}).`;
}

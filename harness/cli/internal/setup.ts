/** The second half of setup: the lab's image, built on an engine that answers. setup.mjs does the first, and calls this. */
import { join } from 'node:path';
import { exitCodes } from '../../base/errors.ts';
import { cacheFolder, isCheckout } from '../../project.mjs';
import { command } from '../command.ts';

/** Makes what is missing, and says each step with its time. */
export const setup = command({
  name: 'setup',
  about: "prepare the lab, once: an engine that answers (root has it installed and started), and the lab's image",
  isHidden: isCheckout,
  run: async (context) => {
    const { buildLabImage, ensureBase, hasImage } = await import('../../lab/engine/build-image.ts');
    const { fetchNode, fetchTraefik } = await import('../../lab/engine/downloads.ts');
    const { connectEngine } = await import('../../lab/engine/engine.ts');
    const { labArchitecture, labImageTag, labVersions } = await import('../../lab/image.ts');
    const say = (step: string, outcome: string, sinceMs?: number): void => {
      const took = sinceMs === undefined ? '' : ` (${((performance.now() - sinceMs) / 1000).toFixed(1)} s)`;
      context.stdout(`setup: ${step}: ${outcome}${took}\n`);
    };
    const { docker, facts } = await connectEngine();
    say('engine', `Docker ${facts.version} on ${facts.architecture}, cgroup v${facts.cgroupVersion}`);
    const architecture = labArchitecture(facts.architecture);
    const tag = labImageTag(facts.architecture);
    if (await hasImage(docker, tag)) {
      say('lab image', `${tag} is there`);
      say('done', context.worded('npm run experiment E5'));
      return exitCodes.pass;
    }
    const versions = labVersions();
    const cache = join(cacheFolder(), 'downloads');
    const startedMs = performance.now();
    const timed = async <T>(step: string, work: Promise<T>, outcome: (result: T) => string): Promise<T> => {
      const result = await work;
      say(step, outcome(result), startedMs);
      return result;
    };
    const [node, traefik, base] = await Promise.all([
      timed('node', fetchNode(versions, architecture, cache), () => `${versions.node.version}, sha256 checked`),
      timed(
        'traefik',
        fetchTraefik(versions, architecture, cache),
        () => `${versions.traefik.version}, sha256 checked`,
      ),
      timed(
        'debian base',
        ensureBase(docker, versions.debian, architecture, join(cache, '..')),
        ({ tag, from }) => `${tag}, ${from}`,
      ),
    ]);
    const buildMs = performance.now();
    await buildLabImage(docker, { base, tag, node, traefik });
    say('lab image', `${tag} built`, buildMs);
    say('done', context.worded('npm run experiment E5'));
    return exitCodes.pass;
  },
});

/** What the harness needs of the engine. */
import type Docker from 'dockerode';
import { HarnessError } from '../base/errors.ts';
import { connectEngine } from '../lab/engine/engine.ts';
import { labImageTag } from '../lab/image.ts';
import { standingLabs, type StandingLab } from '../lab/remove.ts';
import { ok, problem, warning, type Finding } from './finding.ts';
import { tryLab } from './trial.ts';

/** Checks the engine, its image and other labs, and boots a lab's server for a moment unless that would disturb a run. */
export async function checkThisEngine(): Promise<Finding[]> {
  const connected = await connectEngine().catch((error: unknown) => {
    if (error instanceof HarnessError) return error;
    throw error;
  });
  if (connected instanceof HarnessError) return [problem('engine', connected.message, connected.hint)];
  const { docker, facts, address } = connected;
  const where = `of ${address.named ?? 'this machine'}, on ${facts.operatingSystem}`;
  const labs = await standingLabs(docker);
  const findings = [
    ok('engine', `Docker ${facts.version} (API ${facts.apiVersion}) ${where}`),
    ok('architecture', `${facts.architecture}, kernel ${facts.kernel}, cgroup v${facts.cgroupVersion}`),
    judgeLabs(labs),
  ];
  const { image, finding } = await checkImage(docker, facts.architecture);
  findings.push(finding);
  if (image === null) return findings;
  if (!labs.some(({ state }) => state === 'live')) return [...findings, ...(await tryLab(docker, facts, image))];
  const says = 'no container was booted, which would disturb the run that is going on';
  return [...findings, warning('systemd', says, 'Ask the doctor again when it has ended.')];
}

/** What other labs in the engine mean for a run that is about to begin. */
export function judgeLabs(labs: readonly Pick<StandingLab, 'runId' | 'state'>[]): Finding {
  if (labs.length === 0) return ok('labs', 'no other lab stands in this engine');
  const { live = [], left = [] } = Object.groupBy(labs, ({ state }) => (state === 'live' ? 'live' : 'left'));
  const says = Object.entries({ 'going on': live, 'left over': left })
    .filter(([, some]) => some.length > 0)
    .map(([how, some]) => `${how}: ${some.map(({ runId }) => runId).join(', ')}`);
  const wait = 'Wait until it has ended: two at once disturb each other.';
  return warning('labs', says.join('; '), left.length === 0 ? wait : '`npm run clean` takes down what is left over.');
}

async function checkImage(docker: Docker, architecture: string): Promise<{ image: string | null; finding: Finding }> {
  try {
    const image = labImageTag(architecture);
    await docker.getImage(image).inspect();
    return { image, finding: ok('image', image) };
  } catch (error) {
    const isMissing = (error as { statusCode?: number }).statusCode === 404;
    if (!isMissing && !(error instanceof HarnessError)) throw error;
    const says = isMissing ? "the lab's image is not on this engine" : (error as HarnessError).message;
    const fix = 'Run `npm run setup`, which builds it; then ask the doctor again.';
    return { image: null, finding: problem('image', says, fix) };
  }
}

/** What the harness needs of the engine. */
import type Docker from 'dockerode';
import { HarnessError } from '../base/errors.ts';
import { connectEngine, type EngineFacts } from '../lab/engine.ts';
import type { EngineAddress } from '../lab/engine-address.mjs';
import { labImageTag } from '../lab/image.ts';
import { ok, problem, warning, type Finding } from './finding.ts';
import { judgeRuns, standingRuns } from './labs.ts';
import { tryLab } from './trial.ts';

/** Looks at the engine, its image and other labs, and boots a lab's server for a moment, unless that disturbs a run. */
export async function checkThisEngine(): Promise<Finding[]> {
  let connected: { docker: Docker; facts: EngineFacts; address: EngineAddress };
  try {
    connected = await connectEngine();
  } catch (error) {
    if (error instanceof HarnessError) return [problem('engine', error.message, error.hint)];
    throw error;
  }
  const { docker, facts, address } = connected;
  const findings = [
    ok(
      'engine',
      `Docker ${facts.version} (API ${facts.apiVersion}) of ${address.named ?? 'this machine'}, on ${facts.operatingSystem}`,
    ),
    ok('architecture', `${facts.architecture}, kernel ${facts.kernel}, cgroup v${facts.cgroupVersion}`),
  ];
  const runs = await standingRuns(docker);
  findings.push(judgeRuns(runs));
  let image: string;
  try {
    image = labImageTag(facts.architecture);
    await docker.getImage(image).inspect();
    findings.push(ok('image', image));
  } catch (error) {
    const isMissing = (error as { statusCode?: number }).statusCode === 404;
    if (!isMissing && !(error instanceof HarnessError)) throw error;
    const says = isMissing ? "the lab's image is not on this engine" : (error as HarnessError).message;
    return [...findings, problem('image', says, 'Run `npm run setup`, which builds it; then ask the doctor again.')];
  }
  if (runs.live.length > 0) {
    const says = 'no container was booted, which would disturb the run that is going on';
    return [...findings, warning('systemd', says, 'Ask the doctor again when it has ended.')];
  }
  return [...findings, ...(await tryLab(docker, facts, image))];
}

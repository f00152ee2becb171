/** Writes to a service of the user's own before the load: are they found as its service.yaml says? */
import { slotCount } from '../../experiment/load-schedule.ts';
import type { FirstWritesPlan } from '../../in-lab/contract/messages.ts';
import type { LoadPlan } from '../../in-lab/load/plan.ts';
import { writesQuestionOf } from '../../in-lab/deploy/writes-question.ts';
import { converse } from '../../lab/engine/exec.ts';
import type { Lab } from '../../lab/lab.ts';
import type { FirstWrite } from '../../run/run-record.ts';
import { failedBeforeLoad } from '../generator.ts';
import type { OwnApp } from '../run-request.ts';

/**
 * Makes one write of each kind, and looks for it: whether `writes` asks the right thing is known before anything restarts.
 * @param own with its secrets
 * @param load that comes after
 */
export async function makeFirstWrites(
  { server, sites: [site] }: Lab,
  { service, mix }: OwnApp,
  { runId, ratePerSecond, durationMs }: Pick<LoadPlan, 'runId' | 'ratePerSecond' | 'durationMs'>,
): Promise<readonly FirstWrite[]> {
  const question = writesQuestionOf(service, site);
  if (service.writes === undefined || question === null) return [];
  const plan: FirstWritesPlan = {
    // No id of the load begins so.
    id: `${runId}-w`,
    // No {seq} of the load is as high: a service may take each number once.
    firstSeq: slotCount(ratePerSecond, durationMs) + 1,
    hostHeader: site.hostHeader,
    publicPort: site.colours[0].publicPort,
    mix,
    writes: { requests: service.writes.requests, question },
  };
  const talk = await converse(server, ['node', '/opt/harness/in-lab/contract/first-writes.ts']);
  try {
    talk.say(JSON.stringify(plan));
    const line = await talk.lines.next();
    if (line.done === true) throw failedBeforeLoad('the program that makes the first writes', talk.stderr());
    return JSON.parse(line.value) as FirstWrite[];
  } finally {
    talk.close();
  }
}

/** `--dry-run`: what a run would put on the server and the proxy, and when it would do what; nothing is started. */
import { filesOfEdge, filesOfServer, shownFiles } from '../../lab/lab.ts';
import { mixOf, type Experiment } from '../../experiment/experiment.ts';
import type { OwnApp } from '../../conduct/run-request.ts';
import { siteIndexOf, sitesOf } from '../../experiment/units.ts';
import { deploySchedule } from '../../experiment/deploy-schedule.ts';
import { slotCount, assignments } from '../../experiment/load-schedule.ts';

/** Slots of the schedule that are shown. */
const shownSlots = 10;

/** Units, environment, the proxy's files and the schedule of restarts and requests, as this seed draws them. */
export async function dryRunText(experiment: Experiment, seed: number, own: OwnApp | null = null): Promise<string> {
  const { id, title, proxy, load, deploy, probe } = experiment;
  const hasEdge = proxy.kind !== 'none' && proxy.unit === undefined;
  const files =
    own === null
      ? [...(await filesOfServer(experiment)), ...(hasEdge ? await filesOfEdge(experiment) : [])]
      : await shownFiles(experiment, own);
  const parts = files.map((file) =>
    'linkTo' in file ? `--- ${file.path} -> ${file.linkTo}` : `--- ${file.path}\n${file.content.toString().trimEnd()}`,
  );
  const sites = sitesOf(experiment);
  const hasSeveral = sites.length > 1;
  const schedule = deploySchedule(deploy, seed, load.ratePerSecond);
  const durationMs = schedule.durationMs(schedule.wanted);
  const assign = assignments(mixOf(experiment), load.connections, seed);
  const slots = Array.from({ length: shownSlots }, (_, seq) => {
    const { entry, connection } = assign(seq);
    const site = hasSeveral ? `  ${sites[siteIndexOf(seq, sites.length)]?.hostHeader ?? ''}` : '';
    const due = ((seq * 1000) / load.ratePerSecond).toFixed(1);
    return `  slot ${seq}  due ${due} ms  ${entry.method} ${entry.path}  ${connection}${site}`;
  });
  // A release does as its playbook says.
  const ofSites = hasSeveral && deploy.action !== 'release' ? `, of ${sites.length} sites one after another,` : '';
  const restarts = schedule.beginsMs
    .slice(0, schedule.wanted)
    .map((beginMs, index) => `  ${deploy.action} ${index + 1}${ofSites} at ${(beginMs / 1000).toFixed(3)} s`);
  return `${[
    `${id} ${title}, seed ${seed}. Nothing was started.`,
    '## Files',
    ...parts,
    '## Schedule',
    `${slotCount(load.ratePerSecond, durationMs)} requests at ${load.ratePerSecond}/s in ${(durationMs / 1000).toFixed(3)} s ` +
      `(a restart that is voided is made up for by one more), and ${probe.ratePerSecond}/s straight to the ${hasSeveral ? 'first ' : ''}site's own port.`,
    ...(restarts.length === 0 ? ['  no restart'] : restarts),
    'The first requests:',
    ...slots,
  ].join('\n\n')}\n`.replaceAll(/\n\n( {2})/gu, '\n$1');
}

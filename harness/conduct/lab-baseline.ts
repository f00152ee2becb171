/** autocannon in the lab's client container, against the site through the proxy. */
import { exec } from '../lab/exec.ts';
import { putFiles } from '../lab/files.ts';
import type { Lab } from '../lab/lab.ts';
import { packageFiles } from '../lab/npm-package.ts';
import { site } from '../experiment/units.ts';
import { baselineCommand, parseBaseline, type Baseline } from './baseline.ts';

const target = '/opt/autocannon';
const program = `${target}/node_modules/autocannon/autocannon.js`;

/** Puts autocannon, as this project has it, into the client. */
export async function installBaseline(lab: Lab): Promise<void> {
  await putFiles(lab.client, await packageFiles('autocannon', target));
}

/** One baseline, of a page that costs the site next to nothing; null when autocannon could not make one. */
export async function labBaseline(lab: Lab): Promise<Baseline | null> {
  const request = {
    url: `http://${lab.serverAddress}:${lab.targetPort}/livez`,
    method: 'GET',
    headers: [['Host', site.hostHeader]] as const,
    bodyFile: null,
  };
  const { stdout } = await exec(lab.client, ['node', ...baselineCommand(program, request)]);
  return parseBaseline(stdout);
}

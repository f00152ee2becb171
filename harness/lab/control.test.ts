import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import { sitesOf } from '../experiment/units.ts';
import { controlFiles } from './control.ts';
import { projectFolder } from '../project.mjs';

const sites = (count: number) => sitesOf({ ...e1, sites: { ...e1.sites, count } });

async function contentOf(path: string, count: number): Promise<Buffer> {
  const file = (await controlFiles(sites(count))).find((one) => one.path === path);
  if (file === undefined || !('content' in file)) throw new Error(`no ${path}`);
  return Buffer.from(file.content);
}

test('the inventory that one copies has five sites, as a run with five writes them', async () => {
  const committed = await readFile(join(projectFolder, 'containers', 'control', 'hosts'), 'utf8');
  expect((await contentOf('/opt/containers/control/hosts', 5)).toString()).toBe(committed);
});

test('an inventory of twenty sites has all of them, and what all have in common', async () => {
  const hosts = (await contentOf('/opt/containers/control/hosts', 20)).toString();
  expect(hosts.match(/^demo\d* public_port=\d+ internal_port=\d+ domain=demo\d*\.test$/gmu)).toHaveLength(20);
  expect(hosts).toContain(
    'demo20 public_port=18099 internal_port=19099 domain=demo20.test\n\n[sites:vars]\nansible_host=',
  );
});

test('control has the units that the playbook writes, and the program packed, the same bytes each time', async () => {
  const paths = (await controlFiles(sites(1))).map(({ path }) => path);
  expect(paths).toContain('/opt/containers/server/etc/systemd/system/site@.service');
  expect(paths).toContain('/opt/containers/one-socket/etc/systemd/system/site-holder@.service');
  const archive = await contentOf('/opt/program/site.tar.gz', 1);
  expect(archive.equals(await contentOf('/opt/program/site.tar.gz', 1))).toBe(true);
  const packed = gunzipSync(archive).toString('latin1');
  expect(packed).toContain('main.ts');
  expect(packed).not.toContain('.test.ts');
});

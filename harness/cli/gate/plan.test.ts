import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { emptiedFolder } from '../../base/testing-folder.ts';
import { readGateFile } from '../../gate/files/read-budgets.ts';
import { planEntry } from './plan.ts';

const folder = emptiedFolder();

it('tells a mistake of a service.yaml at its own place, and any other at the entry', async () => {
  const path = join(folder, 'gate.yaml');
  await writeFile(
    path,
    'entries:\n  - { experiment: E1, app: shop.yaml, because: nothing drains, budgets: { dropped: { max: 9, because: one restart alone } } }\n',
  );
  const [entry] = (await readGateFile(path, 'gate.yaml')).entries;
  if (entry === undefined) throw new Error('the file has an entry');
  await writeFile(join(folder, 'shop.yaml'), 'name: shop\nrequests: [{ path: / }]\n');
  await expect(planEntry(entry, {}, path)).rejects.toMatchObject({
    code: 'service-invalid',
    message: `${join(folder, 'shop.yaml')}:1:1: needs start (a command line) or unit (your own unit file)`,
  });
  await writeFile(join(folder, 'shop.yaml'), 'name: shop\nstart: shop\nrequests: [{ path: / }]\n');
  await expect(planEntry(entry, { variant: 'none' }, path)).rejects.toMatchObject({ code: 'gate-unusable' });
});

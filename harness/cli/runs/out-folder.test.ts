import { mkdir, mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { requireWritable } from './out-folder.ts';

const folder = testFolder();

describe('a folder for runs', () => {
  it('may be there, or still to be made; the trial leaves nothing', async () => {
    await requireWritable(folder);
    await requireWritable(join(folder, 'not', 'there', 'yet'));
    expect(await readdir(folder)).toEqual([]);
  });

  it('is no file, and nothing below one', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(requireWritable(join(folder, 'file'))).rejects.toMatchObject({
      code: 'out-not-writable',
      exitCode: 4,
    });
    await expect(requireWritable(join(folder, 'file', 'below'))).rejects.toThrow(/file is a file/u);
  });

  it('has no file or folder called `latest` where a run would put its link', async () => {
    const reports = await mkdtemp(join(folder, 'reports-'));
    await mkdir(join(reports, 'E5'));
    await symlink('run', join(reports, 'E5', 'latest'));
    await requireWritable(reports);
    await mkdir(join(reports, 'E1', 'latest'), { recursive: true });
    await expect(requireWritable(reports)).rejects.toMatchObject({
      code: 'option-value',
      message: expect.stringContaining('E1/latest is there and is no link to a run') as string,
    });
  });

  it.runIf(process.platform === 'linux')('is none that nobody may write to', async () => {
    await expect(requireWritable('/proc/runs')).rejects.toMatchObject({ code: 'out-not-writable' });
  });
});

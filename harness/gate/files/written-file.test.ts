import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { readWrittenFile } from './written-file.ts';

const folder = testFolder();

it('does not wait for the writer of a named pipe', async () => {
  const path = join(folder, 'pipe.yml');
  execFileSync('mkfifo', [path]);
  await expect(readWrittenFile(path, 'pipe.yml')).rejects.toThrow(
    'The budgets file pipe.yml cannot be read: it is a named pipe.',
  );
});

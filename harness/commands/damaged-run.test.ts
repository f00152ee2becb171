import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HarnessError } from '../errors.ts';
import { readingRun } from './damaged-run.ts';

const folder = '/nonexistent/run';

describe('reading a run', () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a missing file',
      async () => readFile(`${folder}/witnesses/kernel.json`),
      /run has no witnesses\/kernel\.json\.$/u,
    ],
    ['no JSON', async () => Promise.resolve(JSON.parse('nonsense\n') as unknown), /is no JSON: [^\n]+\.$/u],
    [
      'another form',
      async () => Promise.resolve(z.object({ due: z.number() }).parse({})),
      /is not of its form: due: /u,
    ],
  ])('%s is damage of the run', async (_, work, sentence) => {
    await expect(readingRun(folder, work)).rejects.toMatchObject({
      code: 'run-damaged',
      exitCode: 3,
      message: expect.stringMatching(sentence) as string,
    });
  });

  it('leaves everything else as it is', async () => {
    const fault = new TypeError('x is undefined');
    const known = new HarnessError('run-missing', 'x');
    const elsewhere = readFile('/nonexistent/other');
    await expect(readingRun(folder, async () => Promise.reject(fault))).rejects.toBe(fault);
    await expect(readingRun(folder, async () => Promise.reject(known))).rejects.toBe(known);
    await expect(readingRun(folder, async () => elsewhere)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readingRun(folder, async () => Promise.resolve(5))).toBe(5);
  });
});

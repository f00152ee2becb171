import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptiedFolder } from '../../base/testing-folder.ts';
import { decide } from '../../gate/decide.ts';
import { decision, runOf, verdictThatDropped } from '../../gate/testing.ts';
import { checkDelivery, type DeliveryOptions } from '../options/delivery-options.ts';
import { deliver } from './deliver.ts';

const folder = emptiedFolder();

const failed = decide(decision([runOf(verdictThatDropped([2]))]));
const passed = decide(decision([runOf(verdictThatDropped([0]))]));
const missing = decide(decision([]));

async function delivered(
  result: typeof failed,
  options: DeliveryOptions = {},
  environment: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  const code = await deliver(
    {
      stdout: (text) => (said.stdout += text),
      stderr: (text) => (said.stderr += text),
      workflowCommand: (line) => (said.stderr += `${line}\n`),
    },
    result,
    { folder: join(folder, 'gate'), budgetsPath: join(folder, 'repo/experiments/gate.yaml'), options, environment },
  );
  return { code, ...said };
}

describe('a result', () => {
  it('exits 1 of a failure, 3 of what could not be told, 0 of a pass', async () => {
    expect([(await delivered(failed)).code, (await delivered(missing)).code, (await delivered(passed)).code]).toEqual([
      1, 3, 0,
    ]);
  });

  it('lies in the folder, and where the options say', async () => {
    await delivered(failed, { junit: join(folder, 'a/junit.xml'), summary: join(folder, 'b/summary.md') });
    for (const [own, other] of [
      ['gate/junit.xml', 'a/junit.xml'],
      ['gate/summary.md', 'b/summary.md'],
    ] as const) {
      expect(await readFile(join(folder, other), 'utf8')).toBe(await readFile(join(folder, own), 'utf8'));
    }
    expect(JSON.parse(await readFile(join(folder, 'gate/gate.json'), 'utf8'))).toEqual(failed);
  });

  it('is annotated under GitHub Actions alone, from the top of the repository, and added to the job’s page', async () => {
    const page = join(folder, 'page.md');
    await writeFile(page, 'before\n');
    const github = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: page, GITHUB_WORKSPACE: join(folder, 'repo') };
    const { stderr } = await delivered(failed, {}, github);
    expect(stderr).toMatch(/^::error file=experiments\/gate\.yaml,line=3,title=E5%3A dropped requests::/mu);
    expect(await readFile(page, 'utf8')).toMatch(/^before\n## Gate: fail\n/u);
    expect((await delivered(failed, {}, {})).stderr).not.toContain('::error');
    expect((await delivered(failed, { annotations: 'none' }, github)).stderr).not.toContain('::error');
    expect((await delivered(failed, { annotations: 'github' }, {})).stderr).toContain('::error');
  });

  it('is alone on stdout with --json', async () => {
    const { stdout, stderr } = await delivered(failed, { json: true, annotations: 'github' });
    expect(JSON.parse(stdout)).toEqual(failed);
    expect(stderr).toContain('::error');
  });
});

it('--annotations takes two words', async () => {
  await expect(checkDelivery({ annotations: 'gitlab' })).rejects.toThrow(/github or none/u);
});

describe('a file that cannot be written', () => {
  it('is refused before anything runs', async () => {
    await writeFile(join(folder, 'file'), '');
    await checkDelivery({ junit: join(folder, 'file'), summary: join(folder, 'not', 'there', 'summary.md') });
    for (const [option, path] of [
      ['junit', folder],
      ['summary', join(folder, 'file', 'summary.md')],
      ['summary', ''],
    ] as const) {
      await expect(checkDelivery({ [option]: path })).rejects.toMatchObject({
        code: 'option-value',
        message: expect.stringMatching(new RegExp(`^--${option} `, 'u')) as string,
      });
    }
  });

  it('changes no failure, and is no pass', async () => {
    const options = { junit: folder };
    const after = await delivered(failed, options);
    expect(after.code).toBe(1);
    expect(after.stderr).toContain(`note: ${folder} could not be written: `);
    expect(after.stdout).toContain('gate: fail');
    expect((await delivered(passed, options)).code).toBe(4);
    expect(await readFile(join(folder, 'gate', 'summary.md'), 'utf8')).toContain('## Gate: pass');
  });
});

/** Is the instrument calibrated on this machine, in this state of the project? Done once, and remembered. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { arch, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { calibrationCases } from '../calibration/cases.ts';
import { runCase } from '../calibration/run-case.ts';
import { sourcesHash } from '../lab/project-state.ts';
import { newRunId } from '../run/run-folder.ts';
import { calibrationSchema } from '../verdict/verdict-parts.ts';
import type { Calibration } from '../verdict/verdict.ts';
import { caseName } from './calibrate.ts';
import type { Context } from './context.ts';
import { recall, remember } from './remembered.ts';

/** The short calibration's result. A case that comes out wrong is tried once more: the machine may have been busy. */
export async function calibration(context: Context, reportsFolder: string): Promise<Calibration> {
  const path = join(reportsFolder, 'controls', `calibration-${await key()}.json`);
  const known = await recall(path, calibrationSchema);
  if (known !== null) return known;
  const cases = calibrationCases('short');
  const seriesId = newRunId(new Date());
  const folder = await mkdtemp(join(tmpdir(), 'restart-proof-calibration-'));
  const wrong: Calibration['wrong'] = [];
  try {
    for (const [index, one] of cases.entries()) {
      context.signal.throwIfAborted();
      const name = caseName(one);
      context.stderr(
        `calibration, once for this machine and this state of the project: ${index + 1} of ${cases.length}  ${name}\n`,
      );
      let sentences: readonly string[] = [];
      for (let tries = 2; tries > 0; tries--) {
        const options = {
          folder: join(folder, `${index}-${tries}`),
          runId: `${seriesId}-${index + 1}`,
          signal: context.signal,
        };
        sentences = (await runCase(one, options)).wrong;
        if (sentences.length === 0) break;
      }
      if (sentences.length > 0) wrong.push({ case: name, sentences: [...sentences] });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const result: Calibration = { seriesId, cases: cases.length, wrong };
  if (wrong.length === 0) await remember(path, result);
  return result;
}

/** All that the instrument's answers depend on. */
async function key(): Promise<string> {
  const machine = [process.version, arch(), release(), cpus().length, cpus()[0]?.model, await sourcesHash()];
  return createHash('sha256').update(JSON.stringify(machine)).digest('hex').slice(0, 16);
}

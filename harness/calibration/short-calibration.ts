/** Is the instrument calibrated on this machine, in this state of the project? Asked once, and the answer is kept. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { arch, cpus, release } from 'node:os';
import { join } from 'node:path';
import { scratchFolder } from '../base/scratch-folder.ts';
import { calibrationCases, caseName } from './cases.ts';
import type { Audience } from '../conduct/audience.ts';
import { keepResult, readKept } from '../conduct/kept-result.ts';
import { runCase } from './run-case.ts';
import { sourcesHash } from '../lab/project-state.ts';
import { newRunId } from '../run/run-folder.ts';
import { calibrationSchema } from '../verdict/record/verdict-parts.ts';
import type { Calibration } from '../verdict/record/verdict.ts';

/** The short calibration's result. A case that comes out wrong is tried once more: the machine may have been busy. */
export async function shortCalibration(audience: Audience, reportsFolder: string): Promise<Calibration> {
  const path = join(reportsFolder, 'controls', `calibration-${await key()}.json`);
  const known = await readKept(path, (json) => calibrationSchema.parse(json));
  if (known !== null) return known;
  const cases = calibrationCases('short');
  const seriesId = newRunId(new Date());
  const folder = await scratchFolder('calibration');
  const wrong: Calibration['wrong'] = [];
  try {
    for (const [index, one] of cases.entries()) {
      audience.signal.throwIfAborted();
      const name = caseName(one);
      const nth = `${index + 1} of ${cases.length}`;
      audience.say(`calibration, once for this machine and this state of the project: ${nth}  ${name}\n`);
      const { signal } = audience;
      const tried = (nthTry: number) =>
        runCase(one, { folder: join(folder, `${index}-${nthTry}`), runId: `${seriesId}-${index + 1}`, signal });
      let { wrong: sentences } = await tried(1);
      if (sentences.length > 0) sentences = (await tried(2)).wrong;
      if (sentences.length > 0) wrong.push({ case: name, sentences: [...sentences] });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const result: Calibration = { seriesId, cases: cases.length, wrong };
  if (wrong.length === 0) await keepResult(path, result);
  return result;
}

/** All that the instrument's answers depend on. */
async function key(): Promise<string> {
  const machine = [process.version, arch(), release(), cpus().length, cpus()[0]?.model, await sourcesHash()];
  return createHash('sha256').update(JSON.stringify(machine)).digest('hex').slice(0, 16);
}

/** How long a verdict and a report of a long run take, and how much memory: each by the command that a user would run. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { scratchFolder } from '../base/scratch-folder.ts';
import { openRun } from '../run/run-door.ts';
import { readVerdict } from '../verdict/record/read-run.ts';
import { writeLongRun } from './long-run.ts';

/** What the project holds itself to, for a run of a million rows. */
export const recomputeTarget = { seconds: 10, peakMiB: 600 };

/** One command over one run. */
export interface RecomputeRun {
  /** The kept run that is repeated: E5 waits and drops nothing, of E1 about one request in three is dropped. */
  readonly kept: 'E5' | 'E1';
  readonly step: 'verdict' | 'report';
  /** From the start of the process to its end. */
  readonly wallSeconds: number;
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
  /** Peak resident memory. */
  readonly peakMiB: number;
}

const project = fileURLToPath(new URL('../../', import.meta.url));
/** Has the process tell at its end what it used. */
const mark = 'used ';
const telling =
  'data:text/javascript,' +
  encodeURIComponent(
    `process.on('exit', () => process.stderr.write('\\n${mark}' + JSON.stringify(process.resourceUsage()) + '\\n'));`,
  );

/**
 * Repeats kept runs until each has `rows` rows, and judges and reports them `rounds` times.
 * @throws {Error} when a command fails
 */
export async function benchRecompute(rows: number, rounds: number, note: (text: string) => void) {
  const runs: RecomputeRun[] = [];
  for (const kept of ['E5', 'E1'] as const) {
    const folder = await scratchFolder('rows');
    try {
      note(`repeating ${kept} until it has ${rows} rows`);
      const source = join(project, 'reports', 'reference', kept);
      const { due } = await readVerdict(await openRun(source));
      await writeLongRun(source, folder, Math.ceil(rows / due));
      // The report needs a verdict, and a verdict that is made again finds a report to look at.
      for (const step of ['verdict', 'report'] as const) await timed(step, folder);
      for (let round = 1; round <= rounds; round++) {
        for (const step of ['verdict', 'report'] as const) {
          note(`round ${round}  ${step} of the long ${kept}`);
          runs.push({ kept, step, ...(await timed(step, folder)) });
        }
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  return runs;
}

/** Runs the command as package.json has `npm run` do. */
async function timed(step: 'verdict' | 'report', folder: string) {
  const text = await readFile(join(project, 'package.json'), 'utf8');
  const { scripts } = JSON.parse(text) as { scripts: Record<typeof step, string> };
  const words = ['--import', telling, ...scripts[step].split(' ').slice(1), folder];
  const begun = performance.now();
  const { stderr } = await execa(process.execPath, words, { cwd: project, stdout: 'ignore' });
  const wallSeconds = (performance.now() - begun) / 1000;
  // Threads tell too, when they end; the process is the last.
  const line = stderr.split('\n').findLast((text) => text.startsWith(mark));
  const used = JSON.parse(line?.slice(mark.length) ?? '{}') as Partial<NodeJS.ResourceUsage>;
  return {
    wallSeconds,
    cpuSeconds: ((used.userCPUTime ?? Number.NaN) + (used.systemCPUTime ?? Number.NaN)) / 1e6,
    peakMiB: (used.maxRSS ?? Number.NaN) / 1024,
  };
}

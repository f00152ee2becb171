/** `bench`: how fast, how punctual and how frugal the instrument is, beside its peers. */
import { command } from '../command.ts';

/** Exits 0: figures are compared within the run, and none is a failure. */
export const bench = command({
  name: 'bench',
  about: 'speed, punctuality, CPU and memory of the instrument, beside its peers; takes some forty minutes',
  options: {
    '--rounds <n>': 'how often everything is repeated (default: 3)',
    '--out <folder>': 'where the tables go (default: reports/)',
    '--publish': 'write the tables to reports/benchmark.md too, which the documentation names',
  },
  examples: ['npm run bench', 'npm run bench -- --rounds 1'],
  run: async (context, options) => await (await import('./benchmark.ts')).runBenchmark(context, options),
});

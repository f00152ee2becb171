/** `bench`: how fast, how punctual and how frugal the instrument is, beside its peers. */
import type { BenchmarkOptions } from './instrument/benchmark.ts';
import { examples } from './options/examples.ts';
import type { CliCommand } from './program.ts';

/** Exits 0: figures are compared within the run, and none is a failure. */
export const bench = {
  define: (program) =>
    program
      .command('bench')
      .description('speed, punctuality, CPU and memory of the instrument, beside its peers; takes some forty minutes')
      .option('--rounds <n>', 'how often everything is repeated (default: 3)')
      .option('--out <folder>', 'where the tables go (default: reports/)')
      .option('--publish', 'write the tables to reports/benchmark.md too, which the documentation names')
      .addHelpText('after', examples('npm run bench', 'npm run bench -- --rounds 1')),
  run: async (context, options: BenchmarkOptions) => {
    const { runBenchmark } = await import('./instrument/benchmark.ts');
    return await runBenchmark(context, options);
  },
} satisfies CliCommand;

/**
 * Mutation testing (`npm run test:mutation`, outside CI): the code that tells a pass from a fail is changed in one place
 * at a time, some thousands of times, and the unit tests must notice. What survived last, and why it may, is in
 * docs/trust.md. The tool is no dependency of the project: the script fetches it, pinned, into npm's cache.
 */
export default {
  mutate: [
    'harness/run/**/*.ts',
    'harness/verdict/**/*.ts',
    '!harness/**/*.test.ts',
    '!harness/**/testing*.ts',
    // The shape of verdict.json, which is data: the compiler and the published schema hold it.
    '!harness/verdict/record/verdict.ts',
    '!harness/verdict/record/verdict-parts.ts',
    '!harness/verdict/record/json-schema.ts',
    '!harness/**/*.d.ts',
  ],
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutation.config.ts' },
  coverageAnalysis: 'perTest',
  concurrency: 1,
  reporters: ['clear-text', 'json', 'html', 'progress-append-only'],
  clearTextReporter: { reportTests: false },
  // Left alone: rewriting tsconfig.json takes a TypeScript beside the tool, and vitest does not read it.
  tsconfigFile: 'none',
  tempDirName: '.cache/mutation',
  ignorePatterns: ['.cache', 'reports'],
  jsonReporter: { fileName: '.cache/mutation-report/mutation.json' },
  htmlReporter: { fileName: '.cache/mutation-report/mutation.html' },
};

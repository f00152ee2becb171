import { defineConfig } from 'vitest/config';

/** The unit tests of what decides a verdict, and no others: stryker.config.mjs runs them again for every mutant. */
export default defineConfig({
  test: {
    include: ['harness/{run,verdict}/**/*.test.ts'],
    exclude: ['**/*.lab.test.ts', 'node_modules/**', '.cache/**'],
  },
});

import { defineConfig } from 'vitest/config';

/** unit: no Docker, no lab. lab: real containers, one file at a time. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: ['**/*.lab.test.ts', 'node_modules/**', '.cache/**', 'reports/**'],
        },
      },
      {
        test: {
          name: 'lab',
          include: ['**/*.lab.test.ts'],
          exclude: ['node_modules/**', '.cache/**', 'reports/**'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});

import { defineConfig } from 'vitest/config';

/**
 * unit: no Docker, no lab. lab: real containers, and what needs the machine for itself; one file at a time. full: as lab,
 * and takes minutes; only `npm run test:full` runs it.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['**/*.test.ts'],
          exclude: ['**/*.lab.test.ts', '**/*.full.test.ts', 'node_modules/**', '.cache/**', 'reports/**'],
        },
      },
      {
        test: {
          name: 'lab',
          // Not beside the unit tests: their work would make the load's requests leave late.
          sequence: { groupOrder: 1 },
          include: ['**/*.lab.test.ts'],
          exclude: ['node_modules/**', '.cache/**', 'reports/**'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'full',
          sequence: { groupOrder: 2 },
          include: ['**/*.full.test.ts'],
          exclude: ['node_modules/**', '.cache/**', 'reports/**'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});

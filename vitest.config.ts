import { fileURLToPath } from 'node:url';
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
          // A worker for each core (vitest's default leaves one free), and none started anew for each file.
          maxWorkers: '100%',
          isolate: false,
          testTimeout: 20_000,
          hookTimeout: 20_000,
          // The processes that tests start compile nothing twice.
          env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('.cache/compiled', import.meta.url)) },
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

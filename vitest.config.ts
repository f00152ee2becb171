import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const never = ['node_modules/**', '.cache/**', 'reports/**'];
const neverInUnit = ['**/*.{integration,lab,full}.test.ts', ...never];

/** The processes that tests start compile nothing twice. */
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('.cache/compiled', import.meta.url)) };

const inLab = { fileParallelism: false, testTimeout: 180_000, hookTimeout: 180_000, exclude: never, env } as const;

/**
 * unit: in this process, without waiting. integration: real processes, servers and packages, and whole runs that are judged.
 * lab: real containers, and what needs the machine for itself; one file at a time.
 * full: as lab, and takes minutes; only `npm run test:full` runs it. One project runs after the other.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // A worker for each core (vitest's default leaves one free), and none started anew for each file.
          maxWorkers: '100%',
          isolate: false,
          testTimeout: 20_000,
          hookTimeout: 20_000,
          env,
          sequence: { groupOrder: 0 },
          include: ['**/*.test.ts'],
          exclude: neverInUnit,
        },
      },
      {
        test: {
          name: 'integration',
          // They mostly wait. Each file has a process of its own, with which ends what it started.
          maxWorkers: availableParallelism() + 1,
          // Some measure again where the machine was busy.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          env,
          sequence: { groupOrder: 1 },
          include: ['**/*.integration.test.ts'],
          exclude: never,
        },
      },
      { test: { ...inLab, name: 'lab', sequence: { groupOrder: 2 }, include: ['**/*.lab.test.ts'] } },
      { test: { ...inLab, name: 'full', sequence: { groupOrder: 3 }, include: ['**/*.full.test.ts'] } },
    ],
  },
});

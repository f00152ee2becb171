import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const never = ['node_modules/**', '.cache/**', 'reports/**'];
const neverInUnit = ['**/*.lab.test.ts', '**/*.full.test.ts', ...never];

/**
 * Unit tests that wait for real processes and sockets: beside tests that keep the cores busy they would be late. Since they
 * mostly wait, those of a file run side by side.
 */
const timed = [
  'app-under-test/{drain,fault,listen-fds,site,store}.test.ts',
  'harness/in-lab/load/{generator,threads}.test.ts',
  'harness/conduct/service/command.test.ts',
];

const unit = {
  // A worker for each core (vitest's default leaves one free), and none started anew for each file.
  maxWorkers: '100%',
  isolate: false,
  testTimeout: 20_000,
  hookTimeout: 20_000,
  // The processes that tests start compile nothing twice.
  env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('.cache/compiled', import.meta.url)) },
} as const;

const inLab = { fileParallelism: false, testTimeout: 180_000, hookTimeout: 180_000, exclude: never } as const;

/**
 * unit and unit-timed: no Docker, no lab. lab: real containers, what needs the machine for itself or takes seconds a test; one
 * file at a time.
 * full: as lab, and takes minutes; only `npm run test:full` runs it. One project runs after the other.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...unit,
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['**/*.test.ts'],
          exclude: [...neverInUnit, ...timed],
        },
      },
      {
        test: {
          ...unit,
          name: 'unit-timed',
          sequence: { groupOrder: 1, concurrent: true },
          include: timed,
          exclude: never,
        },
      },
      { test: { ...inLab, name: 'lab', sequence: { groupOrder: 2 }, include: ['**/*.lab.test.ts'] } },
      { test: { ...inLab, name: 'full', sequence: { groupOrder: 3 }, include: ['**/*.full.test.ts'] } },
    ],
  },
});

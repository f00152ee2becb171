/** For tests: a folder of their own, removed after them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';

/** One folder for all tests of a file. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'restart-proof-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The same, emptied after each test. */
export function emptiedFolder(): string {
  const folder = testFolder();
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  });
  return folder;
}

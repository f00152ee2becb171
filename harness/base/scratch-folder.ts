/** Temporary folders of ours. A process that is killed leaves its own behind: the next one that makes a folder removes it. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Process ids mean something only within this: containers that share a temporary folder must not take each other's. */
const place = createHash('sha256').update(`${hostname()} ${pidNamespace()}`).digest('hex').slice(0, 8);
const scratchName = /^restart-proof-[a-z]+-([0-9a-f]{8})-(\d+)-\w{6}$/u;
let hasSwept = false;

/**
 * Makes a temporary folder, which whoever asks for it removes.
 * @param what one word, for its name
 */
export async function scratchFolder(what: string): Promise<string> {
  if (!hasSwept) sweepScratch();
  hasSwept = true;
  return await mkdtemp(join(tmpdir(), `restart-proof-${what}-${place}-${process.pid}-`));
}

/** Removes the scratch folders of processes of this user that are gone. */
export function sweepScratch(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, where, pid] = scratchName.exec(name) ?? [];
    if (where !== place || isAlive(Number(pid))) continue;
    const path = join(tmpdir(), name);
    try {
      const found = lstatSync(path);
      if (found.isDirectory() && found.uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another process sweeps too.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Empty where there are none, as on macOS. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Which state of this project ran: part of a run's fingerprint. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** The commit, and whether files differ from it; `unknown` outside a checkout. */
export async function projectState(): Promise<string> {
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const git = (...args: string[]) => execa('git', args, { cwd, reject: false });
  const [commit, status] = await Promise.all([git('rev-parse', 'HEAD'), git('status', '--porcelain')]);
  if (commit.exitCode !== 0) return 'unknown';
  return `${commit.stdout.trim()}${status.stdout.trim() === '' ? '' : ', with changes'}`;
}

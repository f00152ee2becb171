/**
 * `npm run check:audit`: fails if a dependency that the project runs with has a known vulnerability of high or critical
 * severity. Where the registry has no audit, or cannot be reached, it says so and passes: the other checks still count.
 */
import { spawnSync } from 'node:child_process';

const words = ['audit', '--json', '--omit=dev', '--fetch-retries=0', '--fetch-timeout=10000'];
const { stdout } = spawnSync('npm', words, { encoding: 'utf8', timeout: 30_000 });
const counts = countsIn(stdout);
if (counts === undefined) {
  console.log('not checked: the registry offers no audit, or cannot be reached');
} else {
  const severe = counts.high + counts.critical;
  console.log(`${counts.total} known vulnerabilities, ${severe} of them high or critical`);
  if (severe > 0) console.log('`npm audit --omit=dev` names them.');
  process.exitCode = severe > 0 ? 1 : 0;
}

/** The vulnerabilities by severity; undefined if npm could not ask. @param {string | null} answer */
function countsIn(answer) {
  try {
    return JSON.parse(answer ?? '').metadata?.vulnerabilities;
  } catch {
    return undefined;
  }
}

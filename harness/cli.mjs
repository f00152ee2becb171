/**
 * Starts the command line of a checkout. Plain JavaScript, for whatever Node meets it first: `npm run` finds the pinned
 * one only when `npm run setup` has been run.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cannotRun = 4;
const [major, minor] = process.versions.node.split('.').map(Number);
const isSetUp = existsSync(new URL('../node_modules/commander/package.json', import.meta.url));

if (!isSetUp || major < 22 || (major === 22 && minor < 18)) {
  const why = isSetUp
    ? `this is Node ${process.versions.node}, which is too old`
    : 'its dependencies are not installed';
  process.stderr.write(
    `error: The project is not set up here: ${why}. [setup-missing]\nRun \`npm run setup\` first.\n`,
  );
  process.exitCode = cannotRun;
} else {
  // Types stripped and code compiled once: a start takes a second otherwise.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(fileURLToPath(new URL('../.cache/compiled', import.meta.url)));
  await import('./cli.ts');
}

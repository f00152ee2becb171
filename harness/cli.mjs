/**
 * Starts the command line of a checkout. Plain JavaScript, for whatever Node meets it first: `npm run` finds the pinned
 * one only when `npm run setup` has been run.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cannotRun = 4;
const [major, minor] = process.versions.node.split('.').map(Number);
const isSetUp = existsSync(new URL('../node_modules/commander/package.json', import.meta.url));

/** @param {string} why */
function refuse(why) {
  process.stderr.write(
    `error: The project is not set up here: ${why}. [setup-missing]\nRun \`npm run setup\` first.\n`,
  );
  process.exitCode = cannotRun;
}

if (!isSetUp) {
  refuse('its dependencies are not installed');
} else if (major < 22 || (major === 22 && minor < 18)) {
  refuse(`this is Node ${process.versions.node}, which is too old`);
} else {
  // Types stripped and code compiled once: a start takes a second otherwise.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(fileURLToPath(new URL('../.cache/compiled', import.meta.url)));
  try {
    await import('./cli.ts');
  } catch (error) {
    const missing = error.code === 'ERR_MODULE_NOT_FOUND' && /package '([^']+)'/u.exec(error.message)?.[1];
    if (!missing) throw error;
    refuse(`the package ${missing} is not in node_modules, or not whole`);
  }
}

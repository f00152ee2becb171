/**
 * Starts the command line of a checkout. Plain JavaScript, for whatever Node meets it first: `npm run` finds the pinned
 * one only when `npm run setup` has been run.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cannotRun = 4;
const least = [22, 18];
const [major, minor] = process.versions.node.split('.').map(Number);
const isOldNode = major < least[0] || (major === least[0] && minor < least[1]);
const isSetUp = existsSync(new URL('../node_modules/commander/package.json', import.meta.url));

/** @param {string} sentence @param {string} hint */
function refuse(sentence, hint) {
  process.stderr.write(`error: ${sentence}\n${hint}\n`);
  process.exitCode = cannotRun;
}

/** @param {string} why */
function refuseSetup(why) {
  refuse(`The project is not set up here: ${why}. [setup-missing]`, 'Run `npm run setup` first.');
}

if (!isSetUp) {
  refuseSetup('its dependencies are not installed');
} else if (isOldNode) {
  const [command = 'experiment', ...words] = process.argv.slice(2);
  refuse(
    `This is Node ${process.versions.node}, and the command line needs ${least.join('.')} or newer. [node-too-old]`,
    `npm starts it under the Node that the project pins: ${['npm run', command, '--', ...words].join(' ')}`,
  );
} else {
  // Types stripped and code compiled once: a start takes a second otherwise.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(fileURLToPath(new URL('../.cache/compiled', import.meta.url)));
  try {
    await import('./cli.ts');
  } catch (error) {
    const missing = error.code === 'ERR_MODULE_NOT_FOUND' && /package '([^']+)'/u.exec(error.message)?.[1];
    if (!missing) throw error;
    refuseSetup(`the package ${missing} is not in node_modules, or not whole`);
  }
}

/** The command line as a process: what it exits with, and what it loads for it. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('../../', import.meta.url));
/** Prints each file that is loaded. */
const listing =
  'import { registerHooks } from "node:module";' +
  'registerHooks({ load: (url, context, next) => (process._rawDebug(url), next(url, context)) });';

function cli(...words: string[]) {
  const node = [process.execPath, `--import=data:text/javascript,${encodeURIComponent(listing)}`, 'harness/cli.ts'];
  const [program = '', ...args] = [...node, ...words];
  return execa(program, args, { cwd: project, reject: false, env: { NO_COLOR: '1', npm_config_loglevel: '' } });
}

describe.concurrent('the command line', { timeout: 30_000 }, () => {
  it.each([
    ['no command', [], 2, /^error: A command is missing\. \[command-line\]/u],
    ['a misspelt command', ['verfy'], 2, /Unknown command 'verfy' \(Did you mean verify\?\)\. \[command-line\]/u],
    ['a word too much', ['verify', 'a', 'b'], 2, /\[arguments-too-many\]/u],
    ['a folder that holds no run', ['verify', 'docs'], 2, /\[run-missing\]/u],
    ['no variant', ['experiment', 'E1', '--variant', 'nonsense'], 2, /E1 has no variant "nonsense"/u],
    ['no field', ['experiment', 'E1', '--set', 'app.warmUpMs=1'], 2, /warmUpMs/u],
    ['a field without a value', ['experiment', 'E1', '--set', 'app.warmupMs'], 2, /takes path=value/u],
    ['a sweep over one', ['experiment', 'E1', '--sweep', 'app.warmupMs=1'], 2, /--sweep takes path=value,value/u],
    ['no trial', ['experiment', 'E1', '--trials', '0'], 2, /--trials takes a whole number/u],
    ['no experiment', ['experiment', 'E9'], 2, /There is no experiment "E9"/u],
    ['several that are to be kept', ['experiment', 'all', '--keep'], 2, /--keep is for a single one/u],
  ])('exits with what came of %s', async (_, words, code, said) => {
    const { exitCode, stdout, stderr } = await cli(...words);
    expect(exitCode).toBe(code);
    expect(`${stdout}\n${stderr}`).toMatch(new RegExp(said.source, 'mu'));
  });

  it('names an old Node, and the command that uses the pinned one', async () => {
    const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } });';
    const words = [
      `--import=data:text/javascript,${encodeURIComponent(old)}`,
      'harness/cli.mjs',
      'verify',
      'reports/E5',
    ];
    const { exitCode, stderr } = await execa(process.execPath, words, { cwd: project, reject: false });
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/^error: This is Node 20\.1\.0, .* needs 22\.18 or newer\. \[node-too-old\]$/mu);
    expect(stderr).toContain(': npm run verify -- reports/E5');
  });

  it('helps with exit code 0, and loads Docker’s client, the database and the charts only for commands that need them', async () => {
    const { exitCode, stdout, stderr } = await cli('--help');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/verify \[options\] <run>|verify <run>/u);
    expect(stderr).toContain('commander');
    expect(stderr).not.toMatch(/node_modules\/(dockerode|@duckdb|@napi-rs|chart\.js|autocannon)/u);
  });
});

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { testFolder } from './base/testing-folder.ts';
import { otherProject } from './testing-package.ts';

const project = fileURLToPath(new URL('..', import.meta.url));

const importing =
  /^(?:import|export)(?! type)[^;]*? from '(\.[^']+)'|import\('(\.[^']+)'\)|new URL\('([^']+\.(?:ts|mjs))'/gmu;
const importedPackage = /^import(?! type)[^;]*? from '((?:@[^'/]+\/)?[^.'/][^'/]*)/gmu;

/** This file and all that it imports from the project, directly or not, at its start or later; types are taken off. */
function withImports(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, ...targets] of readFileSync(`${project}/${path}`, 'utf8').matchAll(importing)) {
    const [target] = targets.filter(Boolean);
    if (target !== undefined) withImports(posix.join(posix.dirname(path), target), found);
  }
  return found;
}

const { packed, run, folder } = otherProject(testFolder());

/** What the command line of the package prints. */
async function cli(...words: string[]): Promise<string> {
  const { stdout, stderr } = await run(...words);
  return `${stdout}\n${stderr}`;
}

/** The commands that a program's help lists. */
function commandsIn(help: string): string[] {
  const [, list = ''] = help.split('Commands:');
  return [...list.matchAll(/^ {2}([a-z][a-z-]*) /gmu)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

const wholeHelp = await cli('--help');
const commands = commandsIn(wholeHelp);

/** The pages, and what stands on them. */
const texts = new Map(
  packed.filter((path) => path.endsWith('.md')).map((path) => [path, readFileSync(`${project}/${path}`, 'utf8')]),
);

describe.concurrent('the package for other projects', () => {
  // bin.mjs starts both by their names.
  const needed = [
    ...withImports('harness/bin.mjs'),
    ...withImports('harness/package-cli.ts'),
    ...withImports('setup.mjs'),
  ];

  it('holds every file that its command imports', () => {
    expect(needed.length).toBeGreaterThan(100);
    expect(needed.filter((path) => !packed.includes(path))).toEqual([]);
  });

  it('holds every file that goes into the lab, and every experiment', () => {
    const tracked = execFileSync('git', ['ls-files', 'app-under-test', 'containers', 'experiments', 'harness/in-lab'], {
      cwd: project,
      encoding: 'utf8',
    });
    const wanted = tracked.split('\n').filter((path) => path !== '' && !/\.test\.ts$|\/testing[^/]*$/u.test(path));
    expect(wanted.length).toBeGreaterThan(100);
    expect(wanted.filter((path) => !packed.includes(path))).toEqual([]);
  });

  it('needs no package but its dependencies', () => {
    const { dependencies } = JSON.parse(readFileSync(`${project}/package.json`, 'utf8')) as { dependencies: object };
    const known = Object.keys(dependencies);
    const packages = needed.flatMap((path) =>
      [...readFileSync(`${project}/${path}`, 'utf8').matchAll(importedPackage)].map(([, name = '']) => name),
    );
    expect(packages).toEqual(expect.arrayContaining(['commander', 'dockerode', 'tar-stream']));
    expect(packages.filter((name) => !name.startsWith('node:') && !known.includes(name))).toEqual([]);
  });

  it('holds no test and no test helper', () => {
    expect(packed.filter((path) => /\.test\.ts$|\/testing[^/]*$/u.test(path))).toEqual([]);
  });

  it('holds the pages that its messages name', () => {
    const named = needed.flatMap((path) => {
      const words = readFileSync(`${project}/${path}`, 'utf8').replaceAll(/^\s*(?:\/?\*|\/\/).*$/gmu, '');
      return [...words.matchAll(/\bdocs\/[a-z-]+\.md\b/gu)].map(([page]) => page);
    });
    expect(named).toEqual(expect.arrayContaining(['docs/ci.md', 'docs/measure.md', 'docs/data.md']));
    expect(named.filter((page) => !packed.includes(page))).toEqual([]);
  });

  const kept = `${project}/reports/reference/E5`;
  it.each<[words: string[], said: string | RegExp]>([
    [['query', kept, 'drop-window'], `Did you mean drop-windows? npx restart-proof query ${kept} lists them.`],
    [['query', kept, 'select nosuch'], /^npx restart-proof query RUN lists/mu],
    [['verify', 'docs'], 'reports/measure/latest'],
    [['experiment', 'E99'], '`npx restart-proof experiment list` tells what each asks'],
    [['experiment', '--rate', '9'], /^(?![^]*(npm run|two dashes))/u],
  ])('calls commands by the names that they have in the other project: %j', async (words, said) => {
    expect(await cli(...words)).toEqual(
      typeof said === 'string' ? expect.stringContaining(said) : expect.stringMatching(said),
    );
  });

  it('calls pages by the names that they have in the other project', () => {
    expect(wholeHelp).toContain('node_modules/restart-proof/docs/your-service.md');
  });

  it('lists and shows the experiments, and leaves nothing in its own folder', async () => {
    const asked = [
      ['experiment', 'list'],
      ['experiment', 'E5', '--dry-run'],
      ['gate', '--dry-run'],
      ['baseline', 'list'],
    ];
    const [list, dryRun, gate, baselines] = await Promise.all(asked.map((words) => cli(...words)));
    expect(list).toContain('| E5  | Socket activation ');
    expect(dryRun).toContain('site@demo.socket');
    expect(gate).toContain('node_modules/restart-proof/experiments/gate.yaml; nothing was started.');
    expect(baselines).toContain('`npx restart-proof baseline accept RUN` makes one of a run');
    const found = readdirSync(`${folder}/node_modules/restart-proof`, { recursive: true, withFileTypes: true });
    const left = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    expect(left.map((path) => relative(`${folder}/node_modules/restart-proof`, path)).sort()).toEqual(
      [...packed].sort(),
    );
  });

  it('keeps downloads in a folder of the user’s that projects share, or a temporary one', () => {
    const cacheWith = (env: Record<string, string>): string =>
      execFileSync(process.execPath, ['--input-type=module', '--eval', asked], { env, encoding: 'utf8' });
    const module = `${folder}/node_modules/restart-proof/harness/project.mjs`;
    const asked = `process.stdout.write((await import(${JSON.stringify(module)})).cacheFolder())`;
    const [home, own] = [`${folder}/home`, `${folder}/own`];
    expect(cacheWith({ HOME: home })).toBe(`${home}/.cache/restart-proof`);
    expect(cacheWith({ HOME: home, XDG_CACHE_HOME: own })).toBe(`${own}/restart-proof`);
    expect(cacheWith({ HOME: '/proc', TMPDIR: folder })).toMatch(
      new RegExp(`^${folder}/restart-proof-cache-\\d+$`, 'u'),
    );
  });

  it('has every command of a checkout but those that keep the checkout itself', () => {
    const help = execFileSync(process.execPath, [`${project}/harness/cli.ts`, '--help'], { encoding: 'utf8' });
    const own = ['bench', 'index', 'pack-series', 'schema'];
    expect(commands.toSorted()).toEqual([...commandsIn(help).filter((name) => !own.includes(name)), 'setup'].sort());
  });

  it.each(['setup', 'doctor', 'experiment', 'gate', 'merge', 'baseline', 'calibrate', 'clean'])(
    'has %s, and its help names no command that there is not',
    async (name) => {
      expect(commands).toContain(name);
      const help = await cli(name, '--help');
      expect(help).toContain(`Usage: restart-proof ${name}`);
      expect(help).not.toMatch(/npm run|come after --/u);
    },
  );
});

describe.each([...texts])('%s, which is in the package', (path, text) => {
  it('links to what is in the package', () => {
    const linked = [...text.matchAll(/(?<!!\[[^\]]*)\]\((?!https?:|#)([^)#]+)/gu)].map(([, link = '']) =>
      posix.join(posix.dirname(path), link),
    );
    expect(linked.filter((link) => !packed.some((file) => file === link || file.startsWith(`${link}/`)))).toEqual([]);
  });

  it('says what its commands are in the package, and of those that it lacks that they take a checkout', () => {
    const sections = text.split(/^(?=#+ )/mu);
    const called = sections.flatMap((section) =>
      [...section.matchAll(/\bnpm run ([a-z][a-z:-]*)/gu)].map(([, name = '']) => ({ name, section })),
    );
    const lacking = called.filter(({ name, section }) => !commands.includes(name) && !section.includes('checkout'));
    expect(lacking.map(({ name }) => name)).toEqual([]);
    // An example has the note on the page of all examples.
    const noted = path.replace(/^(docs\/examples\/)[^/]+\/(?=README)/u, '$1');
    if (called.some(({ name }) => commands.includes(name))) expect(texts.get(noted)).toMatch(/npx restart-proof/u);
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('..', import.meta.url));

/** The paths of the package's files, as npm would pack them. */
function packedFiles(): string[] {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: project });
  const [pack] = JSON.parse(output.toString()) as { files: { path: string }[] }[];
  return (pack?.files ?? []).map(({ path }) => path);
}

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

describe('the package for other projects', () => {
  const packed = packedFiles();
  const needed = [...withImports('harness/bin.mjs'), ...withImports('harness/package-cli.ts')];

  it('holds every file that its command imports', () => {
    expect(needed.length).toBeGreaterThan(50);
    expect(needed.filter((path) => !packed.includes(path))).toEqual([]);
  });

  it('needs no package but its dependencies', () => {
    const { dependencies } = JSON.parse(readFileSync(`${project}/package.json`, 'utf8')) as { dependencies: object };
    const known = Object.keys(dependencies);
    // What only a lab loads, it loads when there is one, and `measure` has none.
    const withoutLab = needed.filter((path) => !/^harness\/lab\/engine\/(files|npm-package)\.ts$/u.test(path));
    const packages = withoutLab.flatMap((path) =>
      [...readFileSync(`${project}/${path}`, 'utf8').matchAll(importedPackage)].map(([, name = '']) => name),
    );
    expect(packages).toContain('commander');
    expect(packages.filter((name) => !name.startsWith('node:') && !known.includes(name))).toEqual([]);
  });

  it('holds no test and no test helper', () => {
    expect(packed.filter((path) => /\.test\.ts$|\/testing[^/]*$/u.test(path))).toEqual([]);
  });

  it('holds the pages that its messages name, and those to which these lead first', () => {
    const named = needed.flatMap((path) => {
      const words = readFileSync(`${project}/${path}`, 'utf8').replaceAll(/^\s*(?:\/?\*|\/\/).*$/gmu, '');
      return [...words.matchAll(/\bdocs\/[a-z-]+\.md\b/gu)].map(([page]) => page);
    });
    // What only a lab says.
    const pages = new Set(named.filter((page) => !['docs/experiments.md', 'docs/method.md'].includes(page)));
    expect([...pages]).toEqual(expect.arrayContaining(['docs/ci.md', 'docs/measure.md', 'docs/data.md']));
    expect([...pages, 'docs/errors.md', 'docs/reading-a-report.md'].filter((page) => !packed.includes(page))).toEqual(
      [],
    );
  });

  it('holds what the pages of `measure` lead to', () => {
    const linked = ['your-service', 'measure', 'ci', 'reading-a-report', 'data'].flatMap((page) =>
      [...readFileSync(`${project}/docs/${page}.md`, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/gu)].map(
        ([, link = '']) => posix.join('docs', link),
      ),
    );
    expect(linked.length).toBeGreaterThan(20);
    expect(linked.filter((path) => !packed.includes(path))).toEqual([]);
  });

  it('calls commands and pages by the names that they have in the other project', () => {
    const cli = (...words: string[]): string => {
      const { stdout, stderr } = spawnSync(process.execPath, [`${project}/harness/package-cli.ts`, ...words], {
        encoding: 'utf8',
      });
      return stdout + stderr;
    };
    expect(cli('query', 'reports/reference/E5', 'drop-window')).toContain(
      'Did you mean drop-windows? npx restart-proof query reports/reference/E5 lists them.',
    );
    expect(cli('query', 'reports/reference/E5', 'select nosuch')).toMatch(/^npx restart-proof query RUN lists/mu);
    expect(cli('verify', 'docs')).toContain('reports/measure/latest');
    expect(cli('--help')).toContain('docs/your-service.md');
  });
});

/** For tests: the package as npm packs it, in a project of its own. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { projectFolder } from './project.mjs';

/** Another project, with the package in its node_modules. */
export interface OtherProject {
  readonly folder: string;
  /** The paths of the package's files. */
  readonly packed: readonly string[];
  /** Runs the package's command in the project. */
  readonly run: (...words: string[]) => Promise<{ readonly stdout: string; readonly stderr: string }>;
}

/**
 * Puts the packed package into a project at `folder`, and beside it the packages that it depends on, those and no others: as
 * links to this checkout's, so that no registry is asked.
 */
export function otherProject(folder: string): OtherProject {
  const options = { cwd: projectFolder, encoding: 'utf8' } as const;
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], options);
  const [pack] = JSON.parse(output) as { filename: string; files: { path: string }[] }[];
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'restart-proof');
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, pack?.filename ?? ''), '--strip-components=1', '-C', own]);
  const { dependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as { dependencies: object };
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(projectFolder, 'node_modules', name), join(modules, name));
  }
  return {
    folder,
    packed: (pack?.files ?? []).map(({ path }) => path),
    run: (...words) =>
      execa(process.execPath, [join(own, 'harness/bin.mjs'), ...words], {
        cwd: folder,
        env: { NO_COLOR: '1', XDG_CACHE_HOME: join(folder, 'cache') },
        reject: false,
      }),
  };
}

/** `init`: a budgets file, a service.yaml and a file for CI, begun from what stands in a project's folder. */
import { lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { exitCodes, HarnessError, messageOf } from '../base/errors.ts';
import { shownLine } from '../base/foreign-text.ts';
import { quoted } from '../conduct/run-request.ts';
import type { NewFile } from '../init/files.ts';
import type { Context } from './context.ts';
import { pathText } from './print/path.ts';
import { command } from './command.ts';

/** Exits 0 when it wrote a file, or was only to show what it would write; 2 when it wrote none. */
export const init = command({
  name: 'init',
  about: 'begin a budgets file, a service.yaml and a file for CI from what stands in a folder; asks nothing',
  takes: [['[folder]', 'the folder of your project (default: where you are)']],
  options: { '--dry-run': 'print the files on stdout instead of writing them' },
  notes: `It reads go.mod, package.json, pyproject.toml, requirements.txt, Dockerfile, compose file, Procfile, Makefile, .env, systemd
units and source: at most 400 files, 256 KiB of each, none from outside the folder. It runs nothing and asks no network. Each
guess is printed with file and line.

It writes restart-proof.yaml for \`measure\`, and service.yaml for the lab; with a .github folder or a remote at GitHub
.github/workflows/restart-proof.yml; with a .gitlab-ci.yml restart-proof.gitlab-ci.yml, to include there. A file that is
there is left alone. Where no deploy command is found, \`while\` holds a comment only, and \`measure\` refuses the file until
you write one; so does \`start\` of service.yaml.

Exits 0 when it wrote a file, 2 when it wrote none.`,
  examples: ['npm run init', 'npm run init -- --dry-run', 'npm run init -- ../shop'],
  run: async (context, folder, { dryRun }) => {
    const { readFolder } = await import('../init/folder.ts');
    const { guess } = await import('../init/guess.ts');
    const { budgetsFile, ciFiles } = await import('../init/files.ts');
    const { serviceFile } = await import('../init/service-file.ts');
    const { guessRun } = await import('../init/service-guess.ts');
    const { foundText, nextText } = await import('../init/found-text.ts');
    // npm starts a script in the folder of its package, wherever it is called.
    const here = process.env['npm_lifecycle_event'] === 'init' ? process.env['INIT_CWD'] : undefined;
    const root = resolve(here ?? '.', folder ?? '.');
    const read = await readFolder(root);
    const found = guess(read);
    const budgets = budgetsFile(found);
    const run = guessRun(read, found);
    const service = serviceFile(run, relative(root, join(context.projectFolder, 'docs/service.schema.json')));
    const tell = dryRun === true ? context.stderr : context.stdout;
    tell(foundText(found, run));
    const written = new Set<NewFile>();
    for (const file of [budgets, service, ...ciFiles(found)]) {
      const why = await (dryRun === true ? whyLeft(root, file) : write(root, file));
      if (why === null) written.add(file);
      if (dryRun === true) context.stdout(`# ---- ${file.path}\n${file.text}`);
      tell(
        why === null
          ? `${dryRun === true ? 'would write' : 'wrote'}: ${file.path}\n`
          : `left alone: ${file.path} ${why}\n`,
      );
    }
    if (dryRun === true) return exitCodes.pass;
    tell(nextText(measureCall(context, root), budgets.path, written.has(budgets) ? budgets : null));
    if (written.has(service)) tell(await serviceText(context, join(root, service.path), run.build));
    return written.size === 0 ? exitCodes.usage : exitCodes.pass;
  },
});

/** What to do about the service.yaml. @param build makes the files that it names */
async function serviceText({ callOf }: Context, path: string, build: string | null): Promise<string> {
  const { readOwnService } = await import('../own-service/read-service.ts');
  try {
    await readOwnService(path, process.env);
    return `for the lab: check ${basename(path)}, then\n  ${callOf('experiment E1')} --app ${quoted(pathText(path))}\n`;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    const what = shownLine(error.message.replaceAll(`${dirname(path)}/`, '').split('\n')[0] ?? '');
    const first = build === null ? '' : `${shownLine(build)}, then `;
    return `for the lab: ${first}check ${basename(path)}, which is refused so far:\n  ${what}\n`;
  }
}

/** Nothing is overwritten, and no link is followed. @returns why it was not written, or null */
async function write(root: string, file: NewFile): Promise<string | null> {
  const why = await whyLeft(root, file);
  if (why !== null) return why;
  const path = join(root, file.path);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.text, { flag: 'wx' });
    return null;
  } catch (error) {
    // Half a file would be left alone the next time.
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') await rm(path, { force: true });
    return `cannot be written: ${messageOf(error)}`;
  }
}

async function whyLeft(root: string, { path }: NewFile): Promise<string | null> {
  for (let above = dirname(path); above !== '.'; above = dirname(above)) {
    const there = await lstat(join(root, above)).catch(() => null);
    if (there?.isDirectory() === false) return `would lie in ${above}, which is a link or a file`;
  }
  return (await lstat(join(root, path)).catch(() => null)) === null ? null : 'is there already';
}

/** `while` runs where measure is called: in the project's folder, where npm would start it in that of the checkout. */
function measureCall({ callOf, projectFolder }: Context, root: string): string {
  if (root === process.cwd()) return callOf('measure');
  return `cd ${quoted(pathText(root))} && node ${quoted(join(projectFolder, 'harness/bin.mjs'))} measure`;
}

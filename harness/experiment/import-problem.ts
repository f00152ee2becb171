/** Why a TypeScript file of the user's could not be imported, in a sentence with file, line and column. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../base/errors.ts';

interface Place {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/**
 * What a failed import says.
 * @param folder holds the file; errors call it experiments/
 */
export async function importProblem(thrown: unknown, folder: string, name: string): Promise<string> {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  const place =
    syntaxPlace(stack) ??
    framePlace(stack, folder) ??
    (isSyntax(thrown) ? syntaxPlace(await saidByNode(join(folder, name))) : null);
  const said = thrown instanceof Error ? withoutFolder(messageOf(thrown), folder) : `${String(thrown)} was thrown`;
  const sentence = said.split('\n')[0]?.replace(/\.$/u, '') ?? '';
  const own = join('experiments', name);
  const where =
    place === null ? own : `${withoutFolder(place.path, folder)}:${String(place.line)}:${String(place.column)}`;
  // A file that it imports may be the one at fault.
  const first = where.startsWith(own) ? where : `${own} cannot be loaded: ${where}`;
  return `${first}: ${isSyntax(thrown) ? 'no valid TypeScript: ' : 'fails when it is loaded: '}${sentence}`;
}

function isSyntax(thrown: unknown): boolean {
  return thrown instanceof SyntaxError && !thrown.message.includes('does not provide an export');
}

/** Node puts the place of a syntax error before the stack: path and line, some of the code, and a caret below it. */
function syntaxPlace(text: string): Place | null {
  const match = /^(?:file:\/\/)?(\/.*\.[a-z]+):(\d+)\n(?:(?:.*\n){1,2}?([^\S\n]*)\^)?/mu.exec(text);
  if (match === null) return null;
  const [, path = '', line, indent = ''] = match;
  return { path, line: Number(line), column: indent.length + 1 };
}

/** The place of some syntax errors Node tells only where nobody catches them. */
async function saidByNode(path: string): Promise<string> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [path], { timeout: 10_000 }, (_, __, stderr) => {
      resolve(stderr);
    });
  });
}

/** The innermost line of the user's own files. */
function framePlace(stack: string, folder: string): Place | null {
  for (const [, url = '', line, column] of stack.matchAll(/\(?(file:\/\/\/.*):(\d+):(\d+)\)?$/gmu)) {
    const path = fileURLToPath(url.replace(/\?.*$/u, ''));
    if (path.startsWith(join(folder, '/'))) return { path, line: Number(line), column: Number(column) };
  }
  return null;
}

/** Where the project lies tells the reader nothing. */
function withoutFolder(text: string, folder: string): string {
  return text.replaceAll(join(folder, '/'), 'experiments/').replaceAll(join(dirname(join(folder, '.')), '/'), '');
}

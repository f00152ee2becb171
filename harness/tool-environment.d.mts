/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Without what changes Node, Python and tar (NODE_OPTIONS, NODE_ENV, PYTHONHOME …). */
export function nodeEnvironment(env?: Environment): Record<string, string>;

/**
 * For npm: of its settings in variables, in the project's, the user's and the global npmrc, only where packages are from.
 * @param fallbackCache folder for npm's cache where the user's cannot be written
 */
export function npmEnvironment(projectFolder: string, fallbackCache: string, env?: Environment): Record<string, string>;

/** How npm is called: the npm that called this process, else the one on PATH. */
export function npmCommand(env?: Environment): [string, ...string[]];

/** Options of npm: how long a registry that does not answer is asked. */
export const npmPatience: readonly string[];

/** Why npm failed, in one line of what it said, without a full stop. */
export function npmReason(output: string): string;

/** For pip: of its settings in variables and files, only where packages are from. */
export function pipEnvironment(env?: Environment): Record<string, string>;

/** For tools of the system that root calls, and the packages' own scripts in a chroot: no folder of the user's. */
export function rootEnvironment(env?: Environment): Record<string, string>;

/**
 * A folder for temporary files, where the system's (or TMPDIR's) cannot be written; undefined where it can.
 * @param cache the project's own, in which one may lie
 */
export function otherTemporaryFolder(cache: string): string | undefined;

/** Can this folder be written, or made? */
export function canMake(folder: string): boolean;

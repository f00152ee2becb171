/** Names of the packages for this system that package-lock.json has and node_modules has not, or in another version. */
export function packagesLeftOut(folder: string): string[];

/** A hash of every file's path, size and right to run: it changes when something is taken away, cut, or added. */
export function markOf(folders: readonly string[]): string;

/** Where a module lies that is started by its path: as a thread, or as a process. */

/** The module `name` in the folder of the module at `url`, with the same ending: .ts in a checkout, .js in a package. */
export function moduleBeside(url: string, name: string): URL {
  return new URL(`./${name}${url.endsWith('.ts') ? '.ts' : '.js'}`, url);
}

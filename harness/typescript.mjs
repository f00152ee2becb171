/**
 * Lets Node run the project's TypeScript where it lies in another project's node_modules, where Node itself refuses to
 * take types off. Loaded by --import, so that threads and the processes that this one starts have it too.
 */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

const own = new URL('../', import.meta.url).href;

registerHooks({
  load: (url, context, nextLoad) => {
    if (!url.startsWith(own) || !url.endsWith('.ts')) return nextLoad(url, context);
    return {
      format: 'module',
      source: stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8')),
      shortCircuit: true,
    };
  },
});

/** The font of all charts, carried along: on a machine without fonts chart text would vanish without an error. */
import { createRequire } from 'node:module';
import { GlobalFonts } from '@napi-rs/canvas';

/** Family name of the registered font. */
export const chartFont = 'Inter';

const files = ['files/inter-latin-400-normal.woff2', 'files/inter-latin-600-normal.woff2'];
let registered = false;

/**
 * Makes the font known to the canvas, once.
 * @throws {Error} when a file of it is missing or is not read
 */
export function registerFonts(): void {
  if (registered) return;
  const { resolve } = createRequire(import.meta.url);
  for (const file of files) {
    if (GlobalFonts.registerFromPath(resolve(`@fontsource/inter/${file}`), chartFont) === null) {
      throw new Error(`the font file ${file} of @fontsource/inter was not read`);
    }
  }
  registered = true;
}

/** `doctor`: looks at everything that a run needs, and says what to do about what is missing. */
import { join } from 'node:path';
import colours from 'picocolors';
import { checkThisEngine } from '../doctor/this-engine.ts';
import { checkThisMachine } from '../doctor/this-machine.ts';
import { canRun, findingsText, type Finding } from '../doctor/finding.ts';
import { exitCodes } from '../base/errors.ts';
import type { Context } from './context.ts';
import { jsonText } from '../base/foreign-text.ts';

/** Prints what was found; exits 0 when a lab can run here, else 4. */
export async function doctorCommand(context: Context, options: { readonly json?: true }): Promise<number> {
  const findings = [...(await checkThisMachine(join(context.projectFolder, 'reports'))), ...(await checkThisEngine())];
  const can = canRun(findings);
  if (options.json === true) context.stdout(jsonText({ schema: 1, canRun: can, findings }));
  else context.stdout(findingsText(findings, paint));
  return can ? exitCodes.pass : exitCodes.cannotRun;
}

/** picocolors knows NO_COLOR, FORCE_COLOR and whether stdout is a terminal. */
function paint(status: Finding['status'], text: string): string {
  return { ok: colours.green, warning: colours.yellow, problem: colours.red }[status](text);
}

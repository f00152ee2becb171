/** `doctor`: checks everything that a run needs, and says what to do about what is missing. */
import { exitCodes } from '../base/errors.ts';
import { jsonText } from '../base/foreign-text.ts';
import { canRun, findingsText } from '../doctor/finding.ts';
import type { CliCommand } from './program.ts';

/** Exits 0 when a lab can run here, else 4. */
export const doctor = {
  define: (program) =>
    program
      .command('doctor')
      .description('check everything that a run needs of this machine and of the engine, and say how to put it right')
      .option('--json', 'findings on stdout as JSON, and nothing else there')
      .addHelpText(
        'after',
        `
Boots a lab's server for some seconds, and takes it away again. Exits 0 when a lab can run here, else 4.

Examples:
  npm run doctor
  npm run doctor -- --json > doctor.json     # to go with a question
  DOCKER_HOST=ssh://me@server npm run doctor # whether that engine will do`,
      ),
  run: async (context, options: { json?: true }) => {
    const { checkThisEngine } = await import('../doctor/this-engine.ts');
    const { checkThisMachine } = await import('../doctor/this-machine.ts');
    const found = [...(await checkThisMachine(context.reportsFolder)), ...(await checkThisEngine())];
    const findings = found.map((one) => ({
      ...one,
      ...(one.fix === undefined ? {} : { fix: context.worded(one.fix) }),
    }));
    const can = canRun(findings);
    if (options.json === true) context.stdout(jsonText({ schema: 1, canRun: can, findings }));
    else {
      const { green, yellow, red } = context.colours.stdout;
      const paints = { ok: green, warning: yellow, problem: red };
      context.stdout(findingsText(findings, (status, text) => paints[status](text)));
    }
    return can ? exitCodes.pass : exitCodes.cannotRun;
  },
} satisfies CliCommand;

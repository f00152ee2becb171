/** `doctor`: checks everything that a run needs, or what a service must do to be restarted, and says what to change. */
import { exitCodes } from '../base/errors.ts';
import { jsonText } from '../base/foreign-text.ts';
import { canRun, findingsText } from '../doctor/finding.ts';
import type { Context } from './context.ts';
import { ownAppOf } from './options/own-app.ts';
import { command, type Typed } from './command.ts';

const options = {
  '--app <service.yaml>': 'start your own service in the lab, and check its contract signal by signal',
  '--no-wait': 'with --app: do not wait for another run on this engine, but fail',
  '--json': 'findings on stdout as JSON, and nothing else there',
} as const;
type DoctorOptions = Typed<typeof options>;

/** Exits 0 when a lab can run here, else 4; with --app 0 when the service keeps the contract, else 1. */
export const doctor = command({
  name: 'doctor',
  about:
    'check everything that a run needs of this machine and of the engine; or with --app what a service of your own must do ' +
    'to be restarted without a loss',
  options,
  notes: `Boots a lab's server for some seconds, and takes it away again. Exits 0 when a lab can run here, else 4.
With --app it starts and stops the service in a lab of its own, half a minute: exits 0 when it keeps the contract, 1 when it
breaks it in some point, 2 for a wrong service.yaml, and 4 when the lab cannot run.`,
  examples: [
    'npm run doctor',
    'npm run doctor -- --json > doctor.json     # to go with a question',
    'npm run doctor -- --app service.yaml       # your own service',
    'DOCKER_HOST=ssh://me@server npm run doctor # whether that engine will do',
  ],
  run: async (context, options) => {
    if (options.app !== undefined) return await examine(context, options.app, options);
    const { checkThisEngine } = await import('../doctor/this-engine.ts');
    const { checkThisMachine } = await import('../doctor/this-machine.ts');
    const findings = [...(await checkThisMachine(context.reportsFolder)), ...(await checkThisEngine())];
    const can = canRun(findings);
    const print = (text: string): void => context.stdout(context.worded(text));
    if (options.json === true) print(jsonText({ schema: 1, canRun: can, findings }));
    else {
      const { green, yellow, red } = context.colours.stdout;
      const paints = { ok: green, warning: yellow, problem: red };
      print(findingsText(findings, (status, text) => paints[status](text)));
    }
    return can ? exitCodes.pass : exitCodes.cannotRun;
  },
});

async function examine(context: Context, app: string, { json, wait }: DoctorOptions): Promise<number> {
  const own = await ownAppOf(app);
  if (own === null) throw new Error('no service is named');
  const { examineService } = await import('../doctor/contract/examine.ts');
  const { contractText, keepsContract } = await import('../doctor/contract/contract-text.ts');
  const { holdEngine } = await import('../conduct/hold-engine.ts');
  const { audienceOf } = await import('./print/progress.ts');
  const audience = audienceOf(context);
  const how = { command: `doctor --app ${app}`, wait: wait !== false };
  const examination = await holdEngine(audience, how, (engine) => examineService(engine, audience, own));
  const keeps = keepsContract(examination);
  if (json === true) context.stdout(jsonText({ schema: 1, keepsContract: keeps, ...examination }));
  else {
    const { green, red, dim } = context.colours.stdout;
    const paints = { passed: green, failed: red, 'not applicable': dim };
    context.stdout(contractText(examination, (status, text) => paints[status](text)));
  }
  return keeps ? exitCodes.pass : exitCodes.expectationMissed;
}

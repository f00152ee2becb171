import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { HarnessError } from '../../base/errors.ts';
import { refuseOptionsThatNpmTook, refuseWrongWords } from './refusals.ts';

/** The command that was reached with these words, as npm passes them on. */
function reached(...words: string[]): Command {
  const program = new Command('restart-proof').exitOverride().option('--verbose', '');
  let found: Command | undefined;
  const action = (...args: unknown[]): void => {
    found = args.at(-1) as Command;
  };
  program
    .command('experiment')
    .argument('<id>')
    .allowExcessArguments()
    .option('--rate <n>')
    .option('--seed <n>')
    .option('--set <path=value>', '', (value: string, before: string[] | undefined) => [...(before ?? []), value])
    .option('--json')
    .option('--no-controls')
    .action(action);
  program.command('report').argument('<run>').allowExcessArguments().action(action);
  program.command('compare').argument('<runs...>').allowExcessArguments().action(action);
  program.parse(words, { from: 'user' });
  if (found === undefined) throw new Error('no command');
  return found;
}

function refusal(words: string[], env: NodeJS.ProcessEnv): HarnessError | undefined {
  try {
    refuseOptionsThatNpmTook(reached(...words), env);
  } catch (error) {
    return error as HarnessError;
  }
  return undefined;
}

describe('options that npm took', () => {
  // The variables are those that npm 11 sets for `npm run experiment E5 <options>`.
  it.each<[string, string[], NodeJS.ProcessEnv, string]>([
    ['--rate 5', ['E5', '5'], { npm_config_rate: 'true' }, '--rate 5'],
    ['--rate=5', ['E5'], { npm_config_rate: '5' }, '--rate 5'],
    ['--json', ['E5'], { npm_config_json: 'true' }, '--json'],
    ['--no-controls', ['E5'], { npm_config_controls: '' }, '--no-controls'],
    ['--set a=b', ['E5', 'a=b'], { npm_config_set: 'true' }, '--set a=b'],
    ['--set=a=b --set=c=d', ['E5'], { npm_config_set: 'a=b\n\nc=d' }, '--set a=b --set c=d'],
    [
      '--rate 5 --seed 7',
      ['E5', '5', '7'],
      { npm_config_rate: 'true', npm_config_seed: 'true' },
      '--rate <n> --seed <n>',
    ],
  ])('%s is refused, and shown as it is to be written', (_, words, env, flags) => {
    expect(refusal(['experiment', ...words], env)).toMatchObject({
      code: 'npm-took-option',
      exitCode: 2,
      hint: `Put two dashes before: npm run experiment E5 -- ${flags}`,
    });
  });

  it('are those that did not arrive: one that stands behind the dashes is fine', () => {
    expect(refusal(['experiment', 'E5', '--json'], { npm_config_json: 'true' })).toBeUndefined();
    expect(refusal(['experiment', 'E5', '--no-controls'], { npm_config_controls: '' })).toBeUndefined();
    expect(refusal(['experiment', 'E5'], { npm_config_yes: '', npm_config_loglevel: 'notice' })).toBeUndefined();
    expect(refusal(['experiment', 'E5'], { npm_config_json: '', npm_config_controls: 'true' })).toBeUndefined();
  });

  it('are wrong for a command that has no such option, except what npm itself may be set to', () => {
    expect(refusal(['report', 'x'], { npm_config_rate: '5' })?.message).toBe('report has no option --rate.');
    expect(refusal(['report', 'x'], { npm_config_json: 'true' })).toBeUndefined();
  });
});

describe('words', () => {
  it('beyond those that a command takes are refused', () => {
    expect(() => refuseWrongWords(reached('report', 'a', 'b'))).toThrow('report takes one word: b is too much.');
    expect(() => refuseWrongWords(reached('report', 'a'))).not.toThrow();
    expect(() => refuseWrongWords(reached('compare', 'a', 'b', 'c'))).not.toThrow();
  });
});

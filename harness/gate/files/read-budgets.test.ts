import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { readCatalog } from '../../experiment/catalog.ts';
import { resolveExperiment } from '../../experiment/fields.ts';
import { gateFileSchema, serviceFileSchema } from './budgets.ts';
import { parseBudgets, readGateFile } from './read-budgets.ts';

const folder = testFolder();
const good = `alpha: 0.02
entries:
  - experiment: E5
    restarts: 16
    because: a reason for the entry
    budgets:
      dropped: { max: 0, because: a reason for the budget }
      longestWaitMs:
        abovePercentOfOutage: 30
        because: another reason for it
`;

/** The message that a changed file is refused with. */
function refused(text: string, schema: typeof gateFileSchema | typeof serviceFileSchema = gateFileSchema): string {
  try {
    parseBudgets(text, 'gate.yaml', schema);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}

describe('a budgets file', () => {
  it('is read with the line of each field', () => {
    const { data, lineOf } = parseBudgets(good, 'gate.yaml', gateFileSchema);
    expect(data).toMatchObject({ alpha: 0.02, entries: [{ experiment: 'E5', restarts: 16, blocking: true, set: {} }] });
    expect(lineOf(['entries', 0])).toBe(3);
    expect(lineOf(['entries', 0, 'budgets', 'dropped'])).toBe(7);
    expect(lineOf(['entries', 0, 'budgets', 'longestWaitMs'])).toBe(8);
    expect(lineOf(['entries', 0, 'budgets', 'longestWaitMs', 'because'])).toBe(10);
  });

  it.each([
    ['restarts: 16', 'restart: 16', '4:5: entries.0.restart: there is no such field. Did you mean restarts?'],
    ['dropped:', 'droped:', '7:7: entries.0.budgets.droped: there is no such field. Did you mean dropped?'],
    ['max: 0', 'max: none', '7:23: entries.0.budgets.dropped.max: must be a number, not "none"'],
    ['max: 0, ', '', '7:7: entries.0.budgets.dropped: a budget has a limit'],
    ['max: 0', 'all: true', '7:23: entries.0.budgets.dropped.all: belongs to badRestarts'],
    [', because: a reason for the budget', '', '7:7: entries.0.budgets.dropped.because: is missing'],
    ['max: 0', 'max: 0, min: 1', '7:31: entries.0.budgets.dropped.min: must not be above max'],
    ['max: 0,', 'max: 0, [', '7:61: cannot be read as YAML: '],
  ])('with %j as %j is refused, naming line and field', (from, to, message) => {
    expect(good).toContain(from);
    expect(refused(good.replace(from, to))).toContain(`gate.yaml:${message}`);
  });

  it('names all that is wrong, in the order of lines', () => {
    const text = good.replace('experiment: E5', 'experiment: five').replace('max: 0', 'max: -1');
    expect([...refused(text).matchAll(/^gate.yaml:(\d+)/gmu)].map(([, line]) => line)).toEqual(['3', '7']);
  });

  it('of services takes what is known of services only', () => {
    const of = (budget: string): string =>
      refused(
        `services:\n  - name: shop\n    budgets:\n      ${budget}, because: a reason for it }\n`,
        serviceFileSchema,
      );
    expect(of('lost: { max: 0')).toContain('gate.yaml:4:7: services.0.budgets.lost: there is no such field');
    expect(of('dropped: { withinPercentOfPrediction: 5')).toContain('is known of experiments only');
  });
});

it('a named pipe without a writer is not waited for', async () => {
  const pipe = join(folder, 'pipe.yml');
  execFileSync('mkfifo', [pipe]);
  await expect(readGateFile(pipe, 'pipe.yml')).rejects.toThrow(
    'The budgets file pipe.yml cannot be read: it is a named pipe.',
  );
});

describe('experiments/gate.yaml', async () => {
  const path = fileURLToPath(new URL('../../../experiments/gate.yaml', import.meta.url));
  const { entries } = await readGateFile(path, 'experiments/gate.yaml');

  it('names experiments that exist and can be run so, and all of E0 to E8', async () => {
    const catalog = (await readCatalog()).experiments;
    for (const { data } of entries) {
      const file = catalog.find(({ id }) => id === data.experiment);
      if (file === undefined) throw new Error(data.experiment);
      resolveExperiment(file, { variant: data.variant, changes: Object.entries(data.set) });
    }
    const ids = new Set(entries.map(({ data }) => data.experiment));
    expect([...ids].join(' ')).toBe('E0 E1 E2 E3 E4 E5 E6 E7 E8');
  });

  it('misses a fault that spoils half of E5’s restarts in less than 1 of 10 000 gates, with two of them void', () => {
    const { data, budgets } = entries.find(({ name }) => name === 'E5') ?? {};
    expect(0.5 ** ((data?.restarts ?? 0) - 2)).toBeLessThan(1e-4);
    expect(budgets?.find(({ figure }) => figure === 'badRestarts')).toMatchObject({ max: 0, blocking: true });
  });

  it('has two sides where something must drop', () => {
    for (const { budgets } of entries.filter(({ data }) => /^E[1-4]$/u.test(data.experiment))) {
      expect(budgets.find(({ figure }) => figure === 'dropped')?.withinPercentOfPrediction).toBeGreaterThan(0);
      expect(budgets.find(({ figure }) => figure === 'badRestarts')?.all).toBe(true);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { HarnessError } from '../base/errors.ts';
import { readCatalog } from './catalog.ts';
import type { ExperimentFile } from './experiment.ts';
import { resolveExperiment, type Change } from './fields.ts';
import type { OwnService } from './own-service.ts';

/** A service that has all that an experiment may ask for. */
const whole: OwnService = {
  name: 'shop',
  files: [],
  packages: [],
  start: '/opt/shop/shop --listen {public} --internal {internal} --grace {graceMs} --warm-up {warmupMs}',
  environment: {},
  public: '127.0.0.1:18080',
  internal: '127.0.0.1:18081',
  listens: 'either',
  health: { live: '/livez', ready: '/readyz' },
  containers: [],
  requests: [
    { name: 'read', method: 'GET', path: '/', weight: 1, slotsOf100: 100, headers: [], bodyBytes: null, expect: [] },
  ],
  contents: 'a'.repeat(64),
  unitChanges: [],
};
const bare: OwnService = {
  ...whole,
  start: '/opt/shop/shop',
  internal: undefined,
  listens: 'itself',
  health: {},
};

const { experiments } = await readCatalog();

function experimentOf(id: string): ExperimentFile {
  const found = experiments.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no experiment ${id}`);
  return found;
}

/** Why it is not possible; '' where it is. */
function why(service: OwnService, id: string, variant?: string, changes: readonly Change[] = []): string {
  try {
    resolveExperiment(experimentOf(id), { variant, changes, service });
    return '';
  } catch (error) {
    if (error instanceof HarnessError && error.code === 'service-unfit') return error.message;
    throw error;
  }
}

describe('a service of the user’s own', () => {
  it('can be put to every one of the seven experiments if it has what they need', () => {
    for (const id of ['E0', 'E1', 'E2', 'E3', 'E4', 'E5', 'E6', 'E7']) expect(why(whole, id), id).toBe('');
  });

  it.each([
    ['E5', 'it does not take the socket (LISTEN_FDS): serve file descriptor 3 when LISTEN_PID is your own process id'],
    ['E2', 'it has no path that says so: add health.ready'],
    ['E6', 'it is not told its port: put {public} or {publicPort} into start or environment'],
    ['E14', 'it releases several sites, which are those of the demo'],
    ['E17', 'it restarts the proxy'],
  ])('is told what it lacks for %s', (id, sentence) => {
    const told = why(bare, id);
    expect(told).toContain(`${id} is not possible with shop: `);
    expect(told).toContain(sentence);
  });

  it('that has nothing can still be restarted plainly, and behind a proxy that tries again', () => {
    for (const id of ['E0', 'E1', 'E3']) expect(why(bare, id), id).toBe('');
  });

  it('takes a change of the demo site only where it is told of it', () => {
    expect(why(whole, 'E1', 'slow-start')).toBe('');
    expect(why(bare, 'E1', 'slow-start')).toContain('put {warmupMs} into start or environment');
    expect(why(whole, 'E6', 'deferred')).toContain('sites.transaction is a setting of the demo site');
    expect(why(whole, 'E1', undefined, [['app.fault', 'stall']])).toContain('app.fault is a setting of the demo');
  });

  it('that only inherits its socket cannot own its port', () => {
    const inherits = { ...whole, listens: 'inherits' as const };
    expect(why(inherits, 'E5')).toBe('');
    expect(why(inherits, 'E1')).toContain('opens no port itself');
  });

  it('whose own file the proxy has keeps it as it is', () => {
    const routed = { ...whole, proxy: './shop.yml' };
    expect(why(routed, 'E1')).toBe('');
    expect(why(routed, 'E3')).toContain('your own, ./shop.yml, is used as it is');
  });

  it('without a proxy must be told where to listen, or listen at every address', () => {
    expect(why(whole, 'E1', 'direct')).toBe('');
    expect(why(bare, 'E1', 'direct')).toContain('put {public} into start or environment');
    expect(why({ ...bare, public: '0.0.0.0:8080' }, 'E1', 'direct')).toBe('');
  });

  it('of every experiment and variant is either possible, or told why not', () => {
    for (const { id, variants } of experiments) {
      for (const variant of [undefined, ...Object.keys(variants)]) {
        const told = why(bare, id, variant);
        if (told !== '') expect(told).toMatch(/^E\d+ is not possible with shop: .{20,}\.$/u);
      }
    }
  });

  it('is not held to what the demo site does: neither to every restart dropping something, nor to its time an answer', () => {
    const { expect: expected } = resolveExperiment(experimentOf('E1'), { service: whole });
    expect(Object.keys(expected).sort()).toEqual(['bounds', 'dropped']);
    const { expect: ofE5 } = resolveExperiment(experimentOf('E5'), { service: whole });
    expect(ofE5.badRestarts).toMatchObject({ max: 0 });
    expect(ofE5.bounds).toMatchObject([{ of: 'refused-directly', max: 0 }]);
  });

  it('has over its own unit only what was changed of it', () => {
    const own = { ...whole, start: undefined, unit: './shop.service', environment: { LISTEN: '{public}' } };
    const crash = resolveExperiment(experimentOf('E1'), { variant: 'crash', service: own });
    expect(crash.service?.unitChanges).toEqual(['restart']);
  });
});

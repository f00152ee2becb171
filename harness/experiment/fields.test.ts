import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e17 from '../../experiments/E17-proxy.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import e6 from '../../experiments/E6-blue-green.ts';
import e8 from '../../experiments/E8-one-socket.ts';
import type { Experiment, ExperimentFile } from './experiment.ts';
import { parseChange, resolveExperiment } from './fields.ts';

const files = { E1: e1, E5: e5, E6: e6, E8: e8, E17: e17 };
type Id = keyof typeof files;

/** The experiment with changes as --set has them, a space between two. */
function set(file: ExperimentFile, changes: string): Experiment {
  return resolveExperiment(file, { changes: changes.split(' ').map((text) => parseChange('--set', text)) });
}

describe('--set', () => {
  it('reads numbers, booleans, null and texts', () => {
    expect(parseChange('--set', 'app.warmupMs=500')).toEqual(['app.warmupMs', 500]);
    expect(parseChange('--set', 'unit.flushPending=true')).toEqual(['unit.flushPending', true]);
    expect(parseChange('--set', 'proxy.check=null')).toEqual(['proxy.check', null]);
    expect(parseChange('--set', 'load.mix.1.path=/slow?ms=5')).toEqual(['load.mix.1.path', '/slow?ms=5']);
    expect(() => parseChange('--set', 'app.warmupMs')).toThrow('takes path=value');
  });

  it('sets a field, makes a part that was not there with its defaults, and takes one away', () => {
    expect(set(e1, 'app.warmupMs=900').app.warmupMs).toBe(900);
    expect(set(e1, 'proxy.retry.attempts=3').proxy.retry).toEqual({ attempts: 3, initialIntervalMs: 0 });
    const check = { path: '/livez', port: 'internal', intervalMs: 1_000, timeoutMs: 1_000 };
    expect(set(e1, 'proxy.check.path=/livez').proxy.check).toEqual(check);
    expect(set(e5, 'unit.backlog=null').unit.backlog).toBeUndefined();
    expect(set(e1, 'deploy.spacingMs.1=4000').deploy.spacingMs).toEqual([1_600, 4_000]);
  });

  it('leaves the file’s own data as it was', () => {
    set(e1, 'app.warmupMs=900');
    expect(e1.app.warmupMs).toBe(300);
  });
});

describe('what cannot be', () => {
  it.each<[id: Id, changes: string, sentence: string]>([
    // A value that a field does not take.
    ['E5', 'app.warmupMs=soon', 'app.warmupMs: must be a number, not "soon"'],
    ['E5', 'app.warmupMs=', 'app.warmupMs: must be a number, not ""'],
    ['E5', 'app.warmupMs=010', 'app.warmupMs: must be a number, not "010"'],
    ['E5', 'app.warmupMs=1e3', 'app.warmupMs: must be a number, not "1e3"'],
    ['E5', 'app.warmupMs=1.5', 'app.warmupMs: must be a whole number, not 1.5'],
    ['E5', 'app.warmupMs=-1', 'app.warmupMs: must be at least 0, not -1'],
    ['E5', 'app.warmupMs=99999999999999999999', 'app.warmupMs: must be at most'],
    ['E5', 'app.warmupMs=null', 'app.warmupMs: is missing: it must be a number'],
    ['E5', 'app=3', 'app: must be a map of fields, not 3'],
    ['E5', 'proxy=null', 'proxy: is missing: it must be a map of fields'],
    ['E5', 'unit.flushPending=yes', 'unit.flushPending: must be true or false, not "yes"'],
    ['E5', 'unit.activation=sockets', 'must be none, socket, both or shared, not "sockets". Did you mean socket?'],
    ['E5', 'load.ratePerSecond=NaN', 'load.ratePerSecond: must be a number, not "NaN"'],
    ['E5', 'load.mix=GET', 'load.mix: must be a list, not "GET"'],
    ['E5', 'load.mix.99999999.weight=1', 'load.mix.99999999.weight: the list has 3 entries, from 0 to 2'],
    ['E5', 'deploy.spacingMs.2=5', 'deploy.spacingMs: must be a list of at most 2, not of 3'],
    ['E5', 'expect.dropped.max=-1', 'expect.dropped.max: must be at least 0, not -1'],
    ['E5', 'id=E7', 'id: is that of the file, and is never set'],
    ['E1', 'deploy.action=swap', 'a swap takes sites.backends=2'],
    ['E1', 'proxy.kind=none proxy.retry.attempts=4', 'no proxy, no retry'],
    // A deploy of the proxy.
    ['E17', 'proxy.unit=null', 'proxy.unit: a deploy of the proxy takes the part proxy.unit'],
    ['E17', 'deploy.action=restart', 'deploy.action: with proxy.unit it is the proxy that is deployed, or nothing'],
    ['E17', 'proxy.kind=none', 'proxy.kind: proxy.unit is that of a proxy: traefik'],
    ['E17', 'proxy.retry.attempts=4', 'proxy.unit: a deploy of the proxy is measured without retry and check'],
    ['E17', 'proxy.check.path=/livez', 'proxy.unit: a deploy of the proxy is measured without retry and check'],
    ['E17', 'sites.count=2', 'sites.count: a deploy of the proxy takes one site: 1'],
    ['E17', 'sites.backends=2', 'sites.backends: a deploy of the proxy takes one backend: 1'],
    ['E17', 'proxy.unit.activation=both', 'proxy.unit.activation: must be none or socket, not "both"'],
    ['E17', 'proxy.unit.graceTimeOutMs=12001', 'proxy.unit.graceTimeOutMs: must be at most 12000, not 12001'],
    ['E17', 'proxy.unit.graceTimeOutMs=-1', 'proxy.unit.graceTimeOutMs: must be at least 0, not -1'],
    // Several sites.
    ['E1', 'sites.count=0', 'sites.count: must be at least 1, not 0'],
    ['E1', 'sites.count=21', 'sites.count: must be at most 20, not 21'],
    ['E1', 'sites.count=1.5', 'sites.count: must be a whole number, not 1.5'],
    ['E1', 'sites.count=2 proxy.kind=none', 'sites.count: several sites take a proxy'],
    // A swap rewrites the proxy's file, which has the routes of all.
    ['E6', 'proxy.cutover=atomic-rewrite proxy.check=null sites.count=2', 'several sites take a proxy, of which'],
    // A shared socket.
    ['E8', 'sites.backends=1', 'E8 cannot be run so: deploy.action: a swap takes sites.backends=2'],
    ['E8', 'unit.activation=socket', 'unit.activation: two colours own their ports (none), or share one (shared)'],
    ['E8', 'unit.socketTie=part-of', 'unit.socketTie: a shared socket belongs to neither colour'],
    ['E8', 'unit.flushPending=true', 'unit.flushPending: what waits at a shared socket is never flushed'],
    ['E8', 'proxy.check.port=internal', 'proxy.check.port: colours of one socket are asked at it'],
    ['E8', 'proxy.cutover=atomic-rewrite', 'proxy.cutover: colours of one socket are one backend to the proxy'],
    ['E8', 'deploy.oldEndsBy=nothing', 'leaves none that is idle'],
  ])('%s with %s: %s', (id, changes, sentence) => {
    const run = (): unknown => set(files[id], changes);
    expect(run).toThrow(sentence);
    expect(run).not.toThrow(/Invalid input|\{"|zod/u);
  });

  it.each(['unit.leftOut=holder', 'deploy.oldFirst=true', 'deploy.oldEndsBy=nothing'])(
    'without a shared socket is %s',
    (change) => {
      const once = `${change} deploy.restarts=1`;
      expect(() => set(e5, once)).toThrow('leftOut, oldFirst and oldEndsBy=nothing are those of a shared socket');
      set(e8, once);
    },
  );
});

it.each<[id: Id, changes: string]>([
  ['E1', 'sites.count=20'],
  ['E1', 'sites.count=1 proxy.kind=none'],
  ['E6', 'proxy.cutover=atomic-rewrite proxy.check=null'],
  ['E8', 'proxy.kind=none'],
  ['E8', 'proxy.check.port=public proxy.check.path=/livez'],
  ['E8', 'deploy.action=crash'],
])('%s can be with %s', (id, changes) => {
  expect(set(files[id], changes).id).toBe(id);
});

it('a deploy of the proxy has Traefik’s own defaults where nothing is said, and adds nothing to other experiments', () => {
  expect(e17.proxy.unit).toEqual({ activation: 'none', graceTimeOutMs: 10_000, requestAcceptGraceMs: 0 });
  expect('unit' in e1.proxy).toBe(false);
});

describe('a path that is no field', () => {
  it.each([
    ['app.warmUpMs', /^Did you mean app\.warmupMs\? There are app\.warmupMs, app\.drain, /u],
    ['app.nonsense', /^There are app\.warmupMs, /u],
    ['nonsense.at.all', /^The parts of an experiment are id, title, .*app, unit/u],
    ['load.mix.0.pth', /^Did you mean load\.mix\.\*\.path\?/u],
    ['app.warmupMs.more', /./u],
  ])('is refused with the one that was meant, or those beside it: %s', (path, hint) => {
    expect(() => set(e1, `${path}=1`)).toThrow(
      expect.objectContaining({ code: 'field-unknown', exitCode: 2, hint: expect.stringMatching(hint) as string }),
    );
  });

  it('never reaches what plain objects inherit', () => {
    expect(() => set(e1, '__proto__.planted=1')).toThrow('no field');
    expect(() => set(e1, 'app.constructor.planted=1')).toThrow('no field');
    expect(({} as Record<string, unknown>)['planted']).toBeUndefined();
  });
});

describe('a variant', () => {
  it('changes what it names and nothing else, and brings its own expectations', () => {
    const own = resolveExperiment(e5, {});
    const slow = resolveExperiment(e5, { variant: 'slow-start' });
    expect(slow).toMatchObject({ id: 'E5', unit: own.unit, proxy: own.proxy, expect: own.expect });
    expect(slow.app).toEqual({ ...own.app, warmupMs: 1_800 });
    expect(resolveExperiment(e5, { variant: 'own-port' }).expect).toEqual(e5.variants['own-port']?.expect);
  });

  it('comes before --set, and one that does not exist names those that do', () => {
    const changes = [['app.warmupMs', 100]] as const;
    expect(resolveExperiment(e5, { variant: 'slow-start', changes }).app.warmupMs).toBe(100);
    for (const variant of ['nonsense', 'constructor', '__proto__']) {
      expect(() => resolveExperiment(e5, { variant })).toThrow(`E5 has no variant "${variant}"`);
    }
  });
});

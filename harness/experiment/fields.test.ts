import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e17 from '../../experiments/E17-proxy.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import e6 from '../../experiments/E6-blue-green.ts';
import e8 from '../../experiments/E8-one-socket.ts';
import { parseChange, resolveExperiment, type Change } from './fields.ts';

const set = (...changes: Change[]) => resolveExperiment(e1, { changes });

describe('--set', () => {
  it('reads numbers, booleans, null and texts', () => {
    expect(parseChange('--set', 'app.warmupMs=500')).toEqual(['app.warmupMs', 500]);
    expect(parseChange('--set', 'unit.flushPending=true')).toEqual(['unit.flushPending', true]);
    expect(parseChange('--set', 'proxy.check=null')).toEqual(['proxy.check', null]);
    expect(parseChange('--set', 'load.mix.1.path=/slow?ms=5')).toEqual(['load.mix.1.path', '/slow?ms=5']);
    expect(() => parseChange('--set', 'app.warmupMs')).toThrow('takes path=value');
  });

  it('sets a field, makes a part that was not there with its defaults, and takes one away', () => {
    expect(set(['app.warmupMs', 900]).app.warmupMs).toBe(900);
    expect(set(['proxy.retry.attempts', 3]).proxy.retry).toEqual({ attempts: 3, initialIntervalMs: 0 });
    expect(set(['proxy.check.path', '/livez']).proxy.check).toEqual({
      path: '/livez',
      port: 'internal',
      intervalMs: 1_000,
      timeoutMs: 1_000,
    });
    expect(resolveExperiment(e5, { changes: [['unit.backlog', null]] }).unit.backlog).toBeUndefined();
    expect(set(['deploy.spacingMs.1', 4_000]).deploy.spacingMs).toEqual([1_600, 4_000]);
  });

  it('names the field that is wrong, and leaves the file’s own data as it was', () => {
    expect(() => set(['app.warmUpMs', 1])).toThrow(/warmUpMs/u);
    expect(() => set(['app.warmupMs', 'soon'])).toThrow(/app\.warmupMs/u);
    expect(() => set(['app.warmupMs', -1])).toThrow(/app\.warmupMs/u);
    expect(() => set(['deploy.action', 'swap'])).toThrow('a swap takes sites.backends=2');
    expect(() => set(['proxy.kind', 'none'], ['proxy.retry.attempts', 4])).toThrow('no proxy, no retry');
    expect(e1.app.warmupMs).toBe(300);
  });
});

describe('a deploy of the proxy', () => {
  it.each<[Change[], string]>([
    [[['proxy.unit', null]], 'proxy.unit: a deploy of the proxy takes the part proxy.unit'],
    [[['deploy.action', 'restart']], 'deploy.action: with proxy.unit it is the proxy that is deployed, or nothing'],
    [[['proxy.kind', 'none']], 'proxy.kind: proxy.unit is that of a proxy: traefik'],
    [[['proxy.retry.attempts', 4]], 'proxy.unit: a deploy of the proxy is measured without retry and check'],
    [[['proxy.check.path', '/livez']], 'proxy.unit: a deploy of the proxy is measured without retry and check'],
    [[['sites.count', 2]], 'sites.count: a deploy of the proxy takes one site: 1'],
    [[['sites.backends', 2]], 'sites.backends: a deploy of the proxy takes one backend: 1'],
    [[['proxy.unit.activation', 'both']], 'proxy.unit.activation: must be none or socket, not "both"'],
    [[['proxy.unit.graceTimeOutMs', 12_001]], 'proxy.unit.graceTimeOutMs: must be at most 12000, not 12001'],
    [[['proxy.unit.graceTimeOutMs', -1]], 'proxy.unit.graceTimeOutMs: must be at least 0, not -1'],
  ])('is refused with %j', (changes, sentence) => {
    expect(() => resolveExperiment(e17, { changes })).toThrow(sentence);
  });

  it('takes Traefik’s own defaults where nothing is said, and adds nothing to other experiments', () => {
    expect(e17.proxy.unit).toEqual({ activation: 'none', graceTimeOutMs: 10_000, requestAcceptGraceMs: 0 });
    expect('unit' in e1.proxy).toBe(false);
  });
});

describe('a value that a field does not take', () => {
  it.each([
    ['app.warmupMs=soon', 'app.warmupMs: must be a number, not "soon"'],
    ['app.warmupMs=', 'app.warmupMs: must be a number, not ""'],
    ['app.warmupMs=010', 'app.warmupMs: must be a number, not "010"'],
    ['app.warmupMs=1e3', 'app.warmupMs: must be a number, not "1e3"'],
    ['app.warmupMs=1.5', 'app.warmupMs: must be a whole number, not 1.5'],
    ['app.warmupMs=-1', 'app.warmupMs: must be at least 0, not -1'],
    ['app.warmupMs=99999999999999999999', 'app.warmupMs: must be at most'],
    ['app.warmupMs=null', 'app.warmupMs: is missing: it must be a number'],
    ['app=3', 'app: must be a map of fields, not 3'],
    ['proxy=null', 'proxy: is missing: it must be a map of fields'],
    ['unit.flushPending=yes', 'unit.flushPending: must be true or false, not "yes"'],
    [
      'unit.activation=sockets',
      'unit.activation: must be none, socket, both or shared, not "sockets". Did you mean socket?',
    ],
    ['load.ratePerSecond=NaN', 'load.ratePerSecond: must be a number, not "NaN"'],
    ['load.mix=GET', 'load.mix: must be a list, not "GET"'],
    ['load.mix.99999999.weight=1', 'load.mix.99999999.weight: the list has 3 entries, from 0 to 2'],
    ['deploy.spacingMs.2=5', 'deploy.spacingMs: must be a list of at most 2, not of 3'],
    ['expect.dropped.max=-1', 'expect.dropped.max: must be at least 0, not -1'],
    ['id=E7', 'id: is that of the file, and is never set'],
  ])('%s', (text, sentence) => {
    const run = (): unknown => resolveExperiment(e5, { changes: [parseChange('--set', text)] });
    expect(run).toThrow(sentence);
    expect(run).not.toThrow(/Invalid input|\{"|zod/u);
  });
});

describe('several sites', () => {
  it.each<[Change[], string]>([
    [[['sites.count', 0]], 'sites.count: must be at least 1, not 0'],
    [[['sites.count', 21]], 'sites.count: must be at most 20, not 21'],
    [[['sites.count', 1.5]], 'sites.count: must be a whole number, not 1.5'],
    [
      [
        ['sites.count', 2],
        ['proxy.kind', 'none'],
      ],
      'sites.count: several sites take a proxy',
    ],
  ])('are refused with %j', (changes, sentence) => {
    expect(() => set(...changes)).toThrow(sentence);
  });

  it('are refused where a swap rewrites the proxy’s file, which has the routes of all', () => {
    const changes: Change[] = [
      ['proxy.cutover', 'atomic-rewrite'],
      ['proxy.check', null],
      ['sites.count', 2],
    ];
    expect(() => resolveExperiment(e6, { changes })).toThrow('sites.count: several sites take a proxy, of which');
    expect(resolveExperiment(e6, { changes: changes.slice(0, 2) }).sites.count).toBeUndefined();
  });

  it('are as many as twenty; one needs no proxy', () => {
    expect(set(['sites.count', 20]).sites.count).toBe(20);
    expect(set(['sites.count', 1], ['proxy.kind', 'none']).sites.count).toBe(1);
  });
});

describe('a shared socket', () => {
  const refusal = (file: typeof e8, ...changes: Change[]): unknown => {
    try {
      resolveExperiment(file, { changes });
    } catch (error) {
      return error instanceof Error ? error.message : error;
    }
    return null;
  };

  it.each<[Change, string]>([
    [['sites.backends', 1], 'deploy.action: a swap takes sites.backends=2'],
    [['unit.activation', 'socket'], 'unit.activation: two colours own their ports (none), or share one (shared)'],
    [['unit.socketTie', 'part-of'], 'unit.socketTie: a shared socket belongs to neither colour'],
    [['unit.flushPending', true], 'unit.flushPending: what waits at a shared socket is never flushed'],
    [['proxy.check.port', 'internal'], 'proxy.check.port: colours of one socket are asked at it'],
    [['proxy.cutover', 'atomic-rewrite'], 'proxy.cutover: colours of one socket are one backend to the proxy'],
  ])('is not one with %j', (change, sentence) => {
    expect(refusal(e8, change)).toContain(`E8 cannot be run so: ${sentence}`);
  });

  it('needs neither a proxy nor a check, and takes a crash of the colour that serves', () => {
    expect(refusal(e8, ['proxy.kind', 'none'])).toBeNull();
    expect(refusal(e8, ['proxy.check.port', 'public'], ['proxy.check.path', '/livez'])).toBeNull();
    expect(refusal(e8, ['deploy.action', 'crash'])).toBeNull();
  });

  it.each<Change>([
    ['unit.leftOut', 'holder'],
    ['deploy.oldFirst', true],
    ['deploy.oldEndsBy', 'nothing'],
  ])('alone has %j', (...change) => {
    const once: Change = ['deploy.restarts', 1];
    expect(refusal(e5, change, once)).toContain('leftOut, oldFirst and oldEndsBy=nothing are those of a shared socket');
    expect(refusal(e8, change, once)).toBeNull();
  });

  it('is switched once where the old colour is never stopped', () => {
    expect(refusal(e8, ['deploy.oldEndsBy', 'nothing'])).toContain('leaves none that is idle');
  });
});

describe('a path that is no field', () => {
  it('is refused with the one that was meant, or those beside it', () => {
    const hintOf = (path: string): unknown => {
      try {
        set([path, 1]);
      } catch (error) {
        expect(error).toMatchObject({ code: 'field-unknown', exitCode: 2 });
        return (error as { hint: string }).hint;
      }
      return undefined;
    };
    expect(hintOf('app.warmUpMs')).toMatch(/^Did you mean app\.warmupMs\? There are app\.warmupMs, app\.drain, /u);
    expect(hintOf('app.nonsense')).toMatch(/^There are app\.warmupMs, /u);
    expect(hintOf('nonsense.at.all')).toMatch(/^The parts of an experiment are id, title, .*app, unit/u);
    expect(hintOf('load.mix.0.pth')).toMatch(/^Did you mean load\.mix\.\*\.path\?/u);
    expect(hintOf('app.warmupMs.more')).toBeDefined();
  });

  it('never reaches what plain objects inherit', () => {
    expect(() => set(['__proto__.planted', 1])).toThrow('no field');
    expect(() => set(['app.constructor.planted', 1])).toThrow('no field');
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
    const changes: Change[] = [['app.warmupMs', 100]];
    expect(resolveExperiment(e5, { variant: 'slow-start', changes }).app.warmupMs).toBe(100);
    expect(() => resolveExperiment(e5, { variant: 'nonsense' })).toThrow('E5 has no variant "nonsense"');
    expect(() => resolveExperiment(e5, { variant: 'constructor' })).toThrow('E5 has no variant "constructor"');
    expect(() => resolveExperiment(e5, { variant: '__proto__' })).toThrow('E5 has no variant');
  });
});

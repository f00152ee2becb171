import { describe, expect, it } from 'vitest';
import { phaseAt, phasesOf, type Phase } from './phases.ts';
import type { RestartWindow } from './restart-windows.ts';
import { window } from './testing.ts';

describe('the phase of a restart', () => {
  // SIGTERM at 1 s, the old process ends at 1.1 s, the new one starts at 1.25 s and accepts at 1.75 s.
  it.each<[number, Phase]>([
    [990_000, 'before'],
    [999_999, 'before'],
    [1_000_000, 'draining'],
    [1_099_999, 'draining'],
    [1_100_000, 'down'],
    [1_249_999, 'down'],
    [1_250_000, 'warming'],
    [1_749_999, 'warming'],
    [1_750_000, 'after'],
    [9_000_000, 'after'],
  ])('at %i µs is %s', (atUs, phase) => {
    expect(phaseAt(atUs, window)).toEqual({ restart: 1, phase });
  });

  it('is before where no restart has begun', () => {
    expect(phaseAt(5, undefined)).toEqual({ restart: 0, phase: 'before' });
  });

  const spans = (over: Partial<RestartWindow>) =>
    phasesOf({ ...window, ...over }).map(({ name, fromUs, toUs }) => [name, fromUs / 1000, toUs / 1000]);

  it('in a swap is draining alone: the new process accepts before the old one ends', () => {
    const swap = { startUs: 900_000, acceptingUs: 950_000, exitUs: 1_500_000 };
    expect(spans(swap)).toEqual([['draining', 1_000, 1_500]]);
    expect(phaseAt(960_000, { ...window, ...swap }).phase).toBe('before');
    expect(phaseAt(1_500_000, { ...window, ...swap }).phase).toBe('after');
  });

  it('of a process that is killed begins with the deploy’s word, else with its end', () => {
    expect(spans({ sigtermUs: null })[0]).toEqual(['draining', 990, 1_100]);
    expect(spans({ sigtermUs: null, retireUs: null })).toEqual([
      ['down', 1_100, 1_250],
      ['warming', 1_250, 1_750],
    ]);
  });

  it('is down until the new process listens where its start was not seen, and for good where none comes', () => {
    expect(spans({ startUs: null })[1]).toEqual(['down', 1_100, 1_300]);
    expect(spans({ startUs: null, internalListeningUs: null })[1]).toEqual(['down', 1_100, 1_750]);
    expect(spans({ startUs: null, internalListeningUs: null, acceptingUs: null })[1]).toEqual([
      'down',
      1_100,
      Infinity,
    ]);
    expect(spans({ acceptingUs: null })[2]).toEqual(['warming', 1_250, Infinity]);
  });

  it('is before all along where nothing was seen of the process', () => {
    const unseen = { ...window, sigtermUs: null, retireUs: null, exitUs: null };
    expect(phaseAt(2_000_000, unseen)).toEqual({ restart: 1, phase: 'before' });
  });
});

import { describe, expect, it } from 'vitest';
import { loadExperiment } from '../../experiment/catalog.ts';
import { changesOf, changesOfOneOfMany } from './run-options.ts';

const [e0, e5] = await Promise.all([loadExperiment('E0'), loadExperiment('E5')]);
const typed = { set: ['app.warmupMs=50'], rate: '100', restarts: '3' };

describe('what the options change', () => {
  it('is in the experiment’s own words, --set first', () => {
    expect(changesOf(e5, typed)).toEqual([
      ['app.warmupMs', 50],
      ['load.ratePerSecond', 100],
      ['deploy.restarts', 3],
    ]);
  });

  it('is refused where it has no meaning, and left out where it is one of many', () => {
    expect(() => changesOf(e0, typed)).toThrow('E0 restarts nothing: --restarts has no meaning there.');
    expect(changesOfOneOfMany(e0, typed)).toEqual([
      ['app.warmupMs', 50],
      ['load.ratePerSecond', 100],
    ]);
    expect(changesOfOneOfMany(e5, typed)).toEqual(changesOf(e5, typed));
  });

  it('may give an experiment restarts that had none', () => {
    const set = ['deploy.action=restart'];
    expect(changesOf(e0, { set, restarts: '2' })).toContainEqual(['deploy.restarts', 2]);
  });

  it('is checked', () => {
    expect(() => changesOf(e5, { rate: '0' })).toThrow(/--rate takes a whole number from 1 to 5000/u);
    expect(() => changesOf(e5, { restarts: 'many' })).toThrow(/--restarts takes a whole number/u);
    expect(() => changesOf(e5, { set: ['app'] })).toThrow(/--set takes path=value/u);
  });
});

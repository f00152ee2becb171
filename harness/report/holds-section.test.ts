import { describe, expect, it } from 'vitest';
import { verdictOfTest } from '../verdict/testing.ts';
import type { HoldsVerdict } from '../verdict/record/verdict.ts';
import { holdsSection } from './holds-section.ts';
import { cellsIn } from './testing.ts';

const ends = {
  ended: 3,
  byEnding: { 'close-frame': 1, fin: 1, cut: 1 },
  cut: 1,
  closeCodes: { '1012': 1 },
  byStep: { accepting: 1, refusing: 2 },
  longestBackMs: 412.3,
  notBack: 1,
};
const holds: HoldsVerdict = {
  ...{ kind: 'websocket', path: '/socket', connections: 4, lives: 9, opened: 7, messages: 70, bytes: 700 },
  ...ends,
  failedTries: { refused: 1, 'status 503': 1 },
  perRestart: [{ restart: 1, open: 4, ...ends }],
};
describe('the section on held connections', () => {
  it('says how they ended, when, and how long until they were open again, restart by restart', () => {
    const section = holdsSection(verdictOfTest({ holds }));
    expect(section).toContain('4 connections (websocket, GET /socket)');
    expect(section).toContain('Tries that failed: refused 1, status 503 1.');
    const [, first, all] = cellsIn(section);
    const told = [
      '3',
      '1 close frame 1012, 1 closed (FIN), 1 cut in the middle of a message',
      '1 while it still accepted, 2 while it refused',
      '412 ms',
      '1',
    ];
    expect(first).toEqual(['1', '4', ...told]);
    expect(all).toEqual(['**all**', '–', ...told]);
  });

  it('is not there where none was held', () => {
    expect(holdsSection(verdictOfTest({}))).toBe('');
  });
});

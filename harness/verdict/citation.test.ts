import { describe, expect, it } from 'vitest';
import e5 from '../../experiments/E5-socket-activation.ts';
import { resolveExperiment } from '../experiment/fields.ts';
import { boundText, citationLine } from './citation.ts';
import { direct as probe, runRecord, serviceRecord, siteVerdict, verdictOfTest } from './testing.ts';
import type { ServiceRun } from '../run/run-record.ts';
import type { Verdict } from './record/verdict.ts';

const line = (over: Partial<Verdict>): string =>
  citationLine(
    verdictOfTest({ headline: 'nothing dropped', badRestartsInterval95: [0, 0.3123], longestWaitMs: 412.4, ...over }),
    runRecord(e5),
  );

describe('the line that is cited', () => {
  it('has restarts with their bound, requests with their rate, the wait, the versions, and the ledger’s hash', () => {
    expect(line({})).toBe(
      'E5@20261123T120000Z-abcd: nothing dropped; 0 of 8 restarts dropped anything (≤ 31.2 %, one-sided exact 95 %); ' +
        '0 of 300 requests at 100/s; longest wait 412 ms; traefik 3.7.15, systemd 252, node v24, kernel 6; ' +
        'ledger sha256:ffffffffffffffff',
    );
  });

  it('of several sites says of how many the restarts are, and that the probe asked the first', () => {
    const perSite = [siteVerdict('demo'), siteVerdict('demo2'), siteVerdict('demo3')];
    const told = line({ perSite, restarts: 9, direct: { ...probe, longestWaitMs: 1_658.2 } });
    expect(told).toContain('; 0 of 9 restarts of 3 sites dropped anything (≤ 31.2 %');
    expect(told).toContain('through the proxy, 1658 ms straight to the first site;');
  });

  it.each([
    ['pass', ''],
    ['fail', ''],
    ['inconclusive', ' [inconclusive: not citable]'],
    ['aborted', ' [aborted: not citable]'],
  ] as const)('of a run that is %s says so', (verdict, doubt) => {
    expect(line({ verdict })).toContain(`abcd:${doubt} nothing dropped; 0 of 8`);
  });

  it('of a run without controls is not for citing', () => {
    expect(line({ controls: null })).toContain('abcd: [without controls: not for citing] nothing dropped; 0 of 8');
    expect(line({ controls: null, verdict: 'inconclusive' })).toContain('[inconclusive: not citable]');
  });

  it('bounds nothing without a restart, and has no wait without an answer', () => {
    expect(line({ restarts: 0, badRestartsInterval95: null })).toContain('; no restart; 0 of 300');
    const voided = line({ restarts: 0, voidRestarts: 2, badRestartsInterval95: null });
    expect(voided).toContain('; no restart that counts (2 void); 0 of 300');
    expect(line({ longestWaitMs: null })).toContain('at 100/s; no ok answer; traefik');
  });

  it('has the wait without the proxy too, where that was longer', () => {
    const direct = { ...probe, longestWaitMs: 1_658.2 };
    expect(line({ direct })).toContain('longest wait 412 ms through the proxy, 1658 ms straight to the site;');
    expect(line({ direct: { ...direct, longestWaitMs: 300 } })).toContain('longest wait 412 ms; traefik');
    expect(line({ direct: { ...direct, longestWaitMs: null } })).toContain('longest wait 412 ms; traefik');
  });

  it('says what dropped something, and what dropped nothing', () => {
    const bad = line({ badRestarts: 8, badRestartsInterval95: [0.63, 1] });
    expect(bad).toContain('8 of 8 restarts dropped something (63.0 % to');
  });

  it('of a user’s service has the failures by kind, and what a client that tries again would have seen', () => {
    const over = { experiment: 'measure', dropped: 77, failureKinds: { 'port closed': 70, 'kept-connection race': 7 } };
    const verdict = verdictOfTest({ ...over, retryingClient: { resent: 7, droppedAtBest: 70 } });
    expect(citationLine(verdict, serviceRecord())).toContain(
      '77 of 300 requests at 100/s (70 port closed, 7 kept-connection race; ' +
        '70 for a client that sends idempotent requests again);',
    );
    expect(citationLine(verdictOfTest(over), serviceRecord())).toContain('(70 port closed, 7 kept-connection race);');
    // In the lab each drop has a cause that a witness shows.
    expect(citationLine(verdict, runRecord(e5))).toContain('77 of 300 requests at 100/s;');
  });

  it('bounds nothing where the command on a user’s service failed, or was cut short', () => {
    const verdict = verdictOfTest({ experiment: 'measure', badRestartsInterval95: [0, 0.3123] });
    const of = (over: Partial<ServiceRun>): string => citationLine(verdict, { ...serviceRecord(), ...over });
    expect(of({})).toContain('; 0 of 8 restarts dropped anything (≤ 31.2 %');
    for (const over of [{ aborted: 'Interrupted.' }, { troubles: ['The command ended with status 1.'] }]) {
      expect(of(over)).toContain('; 0 of 8 restarts dropped anything; 0 of 300');
    }
  });

  it('names no proxy where the load met none', () => {
    const experiment = resolveExperiment(e5, { changes: [['proxy.kind', 'none']] });
    const run = { ...runRecord(e5, { fingerprint: { traefik: '3.7', systemd: '252' } }), experiment };
    const text = citationLine(verdictOfTest({ direct: { ...probe, longestWaitMs: 9_999 } }), run);
    expect(text).toContain('; systemd 252; ledger');
    expect(text).not.toMatch(/traefik|proxy/u);
  });

  it('names no version that is not known', () => {
    const run = runRecord(e5, { fingerprint: { systemd: '252', arch: 'x64' } });
    expect(citationLine(verdictOfTest({}), run)).toContain('; systemd 252; ledger');
  });
});

it.each<[badRestarts: number, interval: [number, number] | null, text: string]>([
  [0, [0, 0.31234], '≤ 31.2 %, one-sided exact 95 %'],
  [1, [0.00316, 0.52651], '0.3 % to 52.7 %, exact 95 %'],
  [0, null, 'no restart bounds nothing'],
])('a bound of %i bad restarts, %j, is worded', (badRestarts, badRestartsInterval95, text) => {
  expect(boundText({ badRestarts, badRestartsInterval95 })).toBe(text);
});

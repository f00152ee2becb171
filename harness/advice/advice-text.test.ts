import { describe, expect, it } from 'vitest';
import type { Verdict } from '../verdict/record/verdict.ts';
import { adviceJson, adviceText, type Advice } from './advice-text.ts';
import { decide, type Second, type Tried } from './choose.ts';
import { recommendedFiles } from './recommended-files.ts';
import { late, lossy, measured, notTried } from './testing.ts';

const reset = { method: 'POST', cause: 'reset: the backend’s connection ended before the answer' };
const refused = { method: 'GET', cause: 'refused: nobody listened at the backend’s port' };
const e1 = lossy('E1', [
  { ...refused, count: 700 },
  { ...refused, method: 'POST', count: 600 },
  { ...reset, count: 3 },
]);

/** The advice after these runs. */
function adviceOf(tried: readonly Tried[], seconds: readonly Second[] = [], over: Partial<Advice> = {}): Advice {
  const byId = new Map(seconds.map((one) => [one.way.id, one]));
  const decision = decide(tried, byId);
  if (decision.kind === 'confirm') throw new Error('a second run is missing');
  return {
    ...{ service: 'shop', command: 'npm run advise -- --app service.yaml', quietWaitMs: 306 },
    ...{ endedBy: null, broken: null, files: [] },
    ...{ tried, seconds: byId, decision, pathOf: (folder) => folder, ...over },
  };
}

describe('advice in words', () => {
  const e5 = measured('E5', { longestWaitMs: 900 });
  const twenty: Partial<Verdict> = { restarts: 20, badRestartsInterval95: [0, 0.139], longestWaitMs: 951 };
  const again = (id: string) => measured(id, { ...twenty, citation: 'E5@second: the line' });

  it('recommends with the figures, line and check of the second run', () => {
    const text = adviceText(adviceOf([e1, e5, notTried('E6', 'it is not told its port.')], [again('E5')]));
    expect(text).toContain(
      '**Recommended: socket activation (E5).** 0 of 20 restarts dropped anything (≤ 13.9 %, one-sided exact 95 %); longest wait ' +
        '951 ms; none of 10 acknowledged writes lost. It needs a socket unit',
    );
    expect(text).toContain('```\nE5@second: the line\nnpm run verify -- reports/E5/run\n```');
    expect(text).toContain('It is the only one that lost nothing. It was chosen by a run of 8 restarts;');
    expect(text).toContain('There is no runner-up');
    expect(text).toContain('Without a restart the longest wait is 306 ms.');
    expect(text).toContain('- blue-green by health check (E6): it is not told its port.');
    expect(text).toMatch(/\| a plain restart \(E1\) +\| 8 of 8 +\| 162\.9 +\| 75\.4 +\| 10 ms +\| 0 +\| drops +\|/u);
    expect(text).toMatch(/\| blue-green by health check \(E6\) +\|( –+ +\|){5} not tried +\|/u);
  });

  it('names naive close, and the POSTs that it costs', () => {
    const e5Naive = lossy('E5', [{ ...reset, count: 1 }]);
    const broken = [{ fault: 'closes idle connections at once', seen: 'nine of nine', costs: '', change: '' }];
    const text = adviceText(adviceOf([e1, e5Naive], [], { broken }));
    expect(text).toContain('`doctor` saw: closes idle connections at once: nine of nine.');
    expect(text).toContain('**No recommendation: no way that was tried lost nothing.**');
    expect(text).toContain('Least was lost by socket activation (E5)');
    expect(text).toContain('and no recommendation.');
    expect(text).toContain('(naive close)');
    expect(text).toContain('It cost 3 POSTs by a plain restart (E1); 1 POST by socket activation (E5).');
    expect(text).toContain(
      '- a plain restart (E1), 8 restarts: 1303 of 4000 requests: 1300 refused: nobody listened at the backend’s port ' +
        '(600 POST); 3 reset',
    );
    expect(text).not.toContain('Recommended');
  });

  it('says of a tie which is simpler, and why', () => {
    const tied = [measured('E6', { longestWaitMs: 40 }), measured('E7', { longestWaitMs: 13 }), e5];
    const text = adviceText(adviceOf(tied, [again('E6')]));
    expect(text).toContain('**Recommended: blue-green by health check (E6).**');
    expect(text).toContain('(40 ms; blue-green and retry (E7), 13 ms), and is the simplest of them.');
    expect(text).toContain('Runner-up: blue-green and retry (E7), in 8 restarts only: 0 of 8 restarts');
  });

  it('says when the figures are those of the first run, and why', () => {
    const text = adviceText(adviceOf([e5], [notTried('E5', 'there was no time.')]));
    expect(text).toContain('**The figures are those of the run by which it was chosen**: there was no time.');
    expect(text).toContain('npm run verify -- reports/E5/run');
    expect(adviceText(adviceOf([e5], [late('E5')]))).toContain(
      'cannot be trusted: Requests left late. [late-schedule]',
    );
  });

  it('says what a second run took back', () => {
    const bad = lossy('E6', [{ ...reset, count: 2 }], { restarts: 20 });
    const text = adviceText(adviceOf([e5, measured('E6')], [bad, again('E5')]));
    expect(text).toContain(
      'Not recommended: blue-green by health check (E6) lost nothing in 8 restarts; when it was run again with 20, it dropped 2 ' +
        'of 4000 requests.',
    );
  });

  it('claims nothing of what cannot be trusted, and nothing of writes that nobody checked', () => {
    const text = adviceText(adviceOf([late('E5', { writes: null })]));
    expect(text).toContain('**No recommendation: which way loses nothing is not known.**');
    expect(text).toContain('## Not to be trusted\n\n- socket activation (E5): Requests left late.');
    expect(text).toMatch(/\| not checked +\| not to be trusted +\|/u);
    expect(adviceText(adviceOf([measured('E5', { writes: null })], [notTried('E5', '')]))).toContain(
      'writes were not checked',
    );
  });

  it('says once why several were not tried', () => {
    const text = adviceText(
      adviceOf([e1, notTried('E5', 'no time.'), notTried('E6', 'other.'), notTried('E7', 'no time.')]),
    );
    expect(text).toContain(
      '## Not tried\n\n- socket activation (E5), blue-green and retry (E7): no time.\n- blue-green by health check (E6): other.',
    );
  });

  it('says what ended it', () => {
    const endedBy = 'It was interrupted: this is what was measured until then.';
    expect(adviceText(adviceOf([notTried('E1', 'interrupted.')], [], { endedBy }))).toContain(`\n\n${endedBy}\n\n`);
  });
});

it('advice.json has what was recommended, all ways, and the findings', () => {
  const e5 = measured('E5');
  const second = measured('E5', { restarts: 20, runId: 'second' });
  const files = recommendedFiles(['/etc/systemd/system/shop.socket']);
  const json = adviceJson(adviceOf([e1, e5, notTried('E6', 'why')], [second], { files }));
  expect(json).toMatchObject({
    schema: 1,
    outcome: 'recommended',
    recommended: { id: 'E5', restarts: 20, writesLost: 0, files: [{ path: '/etc/systemd/system/shop.socket' }] },
    runnerUp: null,
    least: null,
    candidates: [{ id: 'E1', droppedPosts: 603 }, { id: 'E5', restarts: 8, objection: null }, { notTried: 'why' }],
    findings: [],
  });
});

describe('the files to copy', () => {
  it('are units, variables and the proxy’s routes, and nothing of the lab’s own', () => {
    const paths = [
      '/etc/systemd/journald.conf.d/10-keep-all.conf',
      '/etc/systemd/system/shop.service',
      '/etc/systemd/system/shop.service.d/50-experiment.conf',
      '/etc/systemd/system/shop.socket',
      '/etc/restart-proof/shop.release.env',
      '/etc/traefik/traefik.yml',
      '/etc/traefik/dynamic/site.yml',
    ];
    const found = recommendedFiles(paths).map(({ path }) => path);
    expect(found.toSorted()).toEqual(paths.filter((path) => !/journald|traefik\.yml/u.test(path)).toSorted());
  });
});

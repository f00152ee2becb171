import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import e6 from '../../experiments/E6-blue-green.ts';
import { judgeRun } from './judge.ts';
import { row, serviceRecord } from './testing.ts';
import {
  accessFieldsOf,
  change,
  contentOf,
  originMonotonicUs,
  rowOf,
  siteLineOf,
  stampOf,
  writeFolder,
  type FolderContent,
} from './testing-folder.ts';
import type { Verdict } from './verdict.ts';

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

describe('what depends on the experiment', () => {
  it('without a proxy nothing is asked of its logs, and a drop is explained by the timeline', async () => {
    const content = contentOf(e1, 'refused', 'direct');
    content.access = null;
    content.proxyLog = null;
    content.ledger = content.ledger.map((one) =>
      one.version === null
        ? {
            ...one,
            outcome: 'refused',
            status: null,
            firstByteUs: null,
            bodyCrc32: null,
            error: 'ECONNREFUSED, connect',
          }
        : one,
    );
    const verdict = await judgeRun(await writeFolder(content));
    expect(verdict).toMatchObject({ verdict: 'pass', dropped: 70, proxyTries: null, witnesses: { proxy: null } });
    expect(verdict.reconciliation.examples).toEqual({
      'the site’s port was closed, or its process was leaving': { seq: 105, file: 'timeline.ndjson', line: 5 },
    });
  });

  it('queues are those of its public ports, in a restart’s at-risk time', async () => {
    const sample = (atUs: number, port: number, waiting: number) => ({
      atMonotonicUs: originMonotonicUs + atUs,
      port,
      waiting,
    });
    const queues = [
      sample(980_000, 18_080, 90),
      sample(1_200_000, 18_080, 7),
      sample(1_300_000, 18_180, 8),
      sample(1_300_000, 19_080, 99),
    ];
    const longest = async (content: FolderContent): Promise<unknown> =>
      (await judgeRun(await writeFolder({ ...content, queues }))).perRestart[0]?.longestQueue;
    expect(await longest(contentOf(e5, 'waited'))).toBe(7);
    expect(await longest(contentOf(e6, 'waited'))).toBe(8);
  });

  it('an old version is in rotation, in a swap, until the check has seen that it left', async () => {
    const content = contentOf(e6, 'waited');
    // One that does not end; it was retired at 0.99 s, and a check comes every second.
    content.timeline = content.timeline.filter(({ kind }) => kind !== 'exit');
    change(180, { version: 'v0', instance: 'i0' })(content);
    content.access?.splice(180, 1, accessFieldsOf(rowOf(content, 180)));
    content.site?.splice(180, 1, siteLineOf(rowOf(content, 180)));
    expect((await judgeRun(await writeFolder(content))).stale).toBe(0);
    const single = contentOf(e5, 'waited');
    Object.assign(single, {
      timeline: content.timeline,
      ledger: content.ledger,
      access: content.access,
      site: content.site,
    });
    expect((await judgeRun(await writeFolder(single))).stale).toBe(1);
  });

  it('a refused connection in a swap is explained for as long as the check may take to see it', async () => {
    const content = contentOf(e6, 'refused');
    // The new colour accepts before the old one stops, at 1.05 s: the check has until 3.05 s to see it.
    content.timeline = content.timeline.map((one) => (one.kind === 'accepting' ? { ...one, atUs: 1_000_000 } : one));
    const { reconciliation } = await judgeRun(await writeFolder(content));
    expect(reconciliation).toMatchObject({
      unexplained: 0,
      causes: { 'refused: nobody listened at the backend’s port': 70 },
    });
  });

  it('requests are at risk until the end of the load where the new process was never ready', async () => {
    const content = contentOf(e5, 'waited');
    content.timeline = content.timeline.filter(({ kind }) => kind !== 'ready');
    expect((await judgeRun(await writeFolder(content))).atRisk.due).toBe(201);
  });

  it('requests are at risk until the new process’s first answer through the proxy, where that is last', async () => {
    const content = contentOf(e1, 'refused');
    for (let seq = 175; seq < 180; seq++) {
      change(seq, { outcome: 'status-502', status: 502, version: null, instance: null })(content);
      content.access?.splice(seq, 1, accessFieldsOf(rowOf(content, seq)));
    }
    // From 0.99 s to the answer of slot 180, at 1.8019 s: slots 99 to 180.
    expect((await judgeRun(await writeFolder(content))).atRisk.due).toBe(82);
  });

  it('what the proxy answered to others than the load is no moment of the timeline', async () => {
    const content = contentOf(e5, 'waited');
    const early = { 'request_X-Request-Id': 'stranger', StartUTC: stampOf(1_200_000), Duration: 1_000_000 };
    content.access?.push(accessFieldsOf(row(200, { version: 'v1' }), early));
    expect(await judgeRun(await writeFolder(content))).toMatchObject({ verdict: 'pass', reasons: [] });
  });

  it('requests are at risk until the old process is gone, where that is last', async () => {
    const content = contentOf(e5, 'waited');
    content.timeline = content.timeline.map((one) => (one.kind === 'exit' ? { ...one, atUs: 2_000_000 } : one));
    expect((await judgeRun(await writeFolder(content))).atRisk.due).toBe(101);
  });

  it('the direct probe’s rate is the experiment’s, and its own faults are no drops', async () => {
    const content = contentOf(e5, 'waited');
    content.direct = [
      row(0),
      row(1, { outcome: 'unsent', sentUs: null, doneUs: 9e6 }),
      row(2, { outcome: 'reset', doneUs: 9e6 }),
    ];
    expect((await judgeRun(await writeFolder(content))).direct).toEqual({
      ratePerSecond: 20,
      due: 3,
      dropped: 1,
      outcomes: { ok: 1, unsent: 1, reset: 1 },
      longestWaitMs: 2,
    });
    content.direct = [row(2, { outcome: 'reset' })];
    expect((await judgeRun(await writeFolder(content))).direct?.longestWaitMs).toBeNull();
  });

  it('a run of which no clock is known is judged on the clock’s own zero', async () => {
    const content = contentOf(e5, 'waited');
    content.run = { ...content.run, originMonotonicUs: null, wallOffsetUs: null };
    content.access = content.ledger.map((one) =>
      accessFieldsOf(one, { StartUTC: new Date(((one.sentUs ?? 0) + 100) / 1000).toISOString() }),
    );
    content.site = content.ledger.map((one) =>
      siteLineOf(one, { receivedUs: one.doneUs - 600, answeredUs: one.doneUs - 300 }),
    );
    expect((await judgeRun(await writeFolder(content))).reconciliation.disagreeing).toBe(0);
  });
});

describe('a measurement of the user’s own service', () => {
  const content = (): FolderContent => ({
    ...contentOf(e5, 'waited'),
    run: serviceRecord(),
    access: null,
    site: null,
    proxyLog: null,
    database: null,
    queues: null,
    engine: null,
    kernel: null,
    direct: null,
    controls: null,
  });

  it('has the client as its only witness', async () => {
    const verdict = await judgeRun(await writeFolder(content()));
    expect(verdict).toMatchObject({
      experiment: 'measure',
      variant: null,
      verdict: 'pass',
      reasons: [],
      due: 300,
      dropped: 0,
      restarts: 1,
      writes: null,
      direct: null,
      unexplained: null,
      controls: [],
      calibration: null,
      proxyTries: null,
      witnesses: { proxy: null, kernel: {} },
      predicted: { dropped: null, range: null },
      stalls: { count: 21, byPlace: { 'at a place that no witness shows': 21 }, outsideRestarts: 0 },
      transit: { longestMs: null },
      // From the command’s begin at 0.99 s to the end of the load: nobody saw when the service was steady again.
      atRisk: { due: 201 },
    });
    expect(verdict.perRestart[0]).toMatchObject({ longestQueue: null, expectedQueue: null, predictedDropped: null });
    expect(verdict.reconciliation).toMatchObject({ rows: 300, disagreeing: 0 });
    expect(verdict.hashes.experiment).toBe(sha256(JSON.stringify(serviceRecord().service)));
  });

  it('fails for each request above the limit that was set', async () => {
    const dropped = (maxDropped: number): Promise<Verdict> => {
      const spoilt = { ...content(), run: serviceRecord({ maxDropped }) };
      change(40, {
        outcome: 'reset',
        status: null,
        firstByteUs: null,
        version: null,
        instance: null,
        bodyCrc32: null,
        error: 'ECONNRESET, wait',
      })(spoilt);
      return writeFolder(spoilt).then(judgeRun);
    };
    const failed = await dropped(0);
    expect(failed).toMatchObject({ verdict: 'fail', dropped: 1, dropWindows: [{ dropped: 1 }] });
    expect(failed.reasons).toEqual(['Expected of dropped requests: at most 0; measured: 1.']);
    expect(failed.expectations[0]?.because).toContain('--max-dropped');
    expect(await dropped(1)).toMatchObject({ verdict: 'pass', dropped: 1 });
  });

  /** A content in which these slots were refused. */
  const refusedIn = (seqs: readonly number[], run = serviceRecord({ maxDropped: 100 })): FolderContent => {
    const spoilt = { ...content(), run };
    for (const seq of seqs) {
      const none = { status: null, firstByteUs: null, version: null, instance: null, bodyCrc32: null };
      change(seq, { ...none, outcome: 'refused', error: 'ECONNREFUSED, connect' })(spoilt);
    }
    return spoilt;
  };

  it('is not back where it is gone again when the load ends, whatever was seen of it before', async () => {
    const gone = await judgeRun(await writeFolder(refusedIn([297, 298, 299])));
    expect(gone).toMatchObject({ verdict: 'fail', headline: 'not back', dropped: 3 });
    expect(await judgeRun(await writeFolder(refusedIn([299])))).toMatchObject({ headline: 'not back' });
    // Those in the midst are followed by answers.
    expect(await judgeRun(await writeFolder(refusedIn([200, 201, 202])))).toMatchObject({ verdict: 'pass' });
  });

  it('is at risk until the slot after the last that was dropped before it was steady', async () => {
    const spoilt = refusedIn([110, 111, 112]);
    spoilt.timeline.push({ atUs: 1_390_000, kind: 'steady', source: 'deployer', restart: 1 });
    spoilt.timeline.sort((a, b) => a.atUs - b.atUs);
    // The deploy lasts from 0.99 s to 1.2 s; slot 112 is due at 1.12 s: at risk are the slots 99 to 119.
    expect((await judgeRun(await writeFolder(spoilt))).atRisk).toMatchObject({ due: 21, dropped: 3 });
  });

  it('is inconclusive for a row that contradicts itself', async () => {
    const spoilt = content();
    change(40, { status: 502 })(spoilt);
    const { verdict, reasons } = await judgeRun(await writeFolder(spoilt));
    expect(verdict).toBe('inconclusive');
    expect(reasons.join()).toContain('row 40: ok with status 502');
  });
});

import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e2 from '../../experiments/E2-drain-only.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import { runFiles } from '../run/run-folder.ts';
import type { EventKind } from '../run/files/timeline.ts';
import type { ExperimentRun, ServiceRun } from '../run/run-record.ts';
import { judgeRun } from './judge.ts';
import { proxy, reconciliation, row, serviceRecord, verdictOfTest, writes } from './testing.ts';
import {
  accessFieldsOf,
  answerTo,
  calibration,
  change,
  contentOf,
  event,
  failedTryLine,
  idOf,
  originMonotonicUs,
  originWallUs,
  siteLineOf,
  stampOf,
  writeFolder,
  type FolderContent,
} from './testing-folder.ts';
import { verdictSchema, type Verdict } from './record/verdict.ts';

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const judge = async (content: FolderContent): Promise<Verdict> => judgeRun(await writeFolder(content));

/** What a row has that was refused. */
const { status, firstByteUs, version, instance, bodyCrc32, error } = row(0, { outcome: 'refused' });
const refused = { outcome: 'refused', status, firstByteUs, version, instance, bodyCrc32, error } as const;

describe('a run’s folder in which nothing was dropped', () => {
  const content = contentOf(e5, 'waited');
  let folder: string;
  let verdict: Verdict;
  beforeAll(async () => {
    folder = await writeFolder(content, { isOfOneTest: false });
    verdict = await judgeRun(folder);
    return () => rm(folder, { recursive: true });
  });

  it('passes, with every figure in its place', () => {
    expect(verdict).toMatchObject({
      experiment: 'E5',
      verdict: 'pass',
      reasons: [],
      due: 300,
      sent: 300,
      outcomes: { ok: 300 },
      dropped: 0,
      retryingClient: { resent: 0, droppedAtBest: 0 },
      // Due from 0.99 s to 1.755 s, the proxy’s first answer of the new version: slots 99 to 175.
      atRisk: { due: 77, dropped: 0, ratePercent: 0 },
      stale: 0,
      unexplained: 0,
      dropWindows: [],
      controls: [{ role: 'C0' }, { role: 'C+' }],
      calibration,
      proxyTries: { answers: 0, retries: 0, failedTries: 0 },
      restarts: 1,
      voidRestarts: 0,
      badRestarts: 0,
      longestOutageMs: 700,
      // Slot 105, due at 1.05 s, was done at 1.756105 s.
      longestWaitMs: 706.105,
      predicted: { dropped: 0, range: [0, 0], differencePercent: null },
      perRestart: [{ outageMs: 700, dueInOutage: 70, longestQueue: 65 }],
      // 14 of the direct probe’s slots lie in the outage; the first waited 702 ms.
      direct: { ratePerSecond: 20, due: 60, dropped: 0, outcomes: { ok: 60 }, longestWaitMs: 702 },
      // Those due from 1.05 s to 1.25 s waited more than half a second, in the queue of the port.
      stalls: {
        count: 21,
        outsideRestarts: 0,
        byPlace: { 'between the proxy and the site: in the queue of its port, or on a port that was closed': 21 },
      },
      transit: { slow: 0, firstSlowRow: null, longestMs: 0.4 },
    });
    expect(verdict.writes).toEqual({ ...writes, acknowledged: 150 });
    expect(verdict.reconciliation).toEqual(reconciliation);
    expect(verdict.witnesses).toEqual({ proxy, kernel: { 'Tcp.PassiveOpens': 2, 'TcpExt.ListenDrops': 0 } });
  });

  it('is written down: the verdict as it was returned, and the rows that were not plainly answered', async () => {
    const text = await readFile(join(folder, runFiles.verdict), 'utf8');
    expect(text).toBe(`${JSON.stringify(verdict, null, 2)}\n`);
    expect(verdictSchema.parse(JSON.parse(text))).toEqual(verdict);
    const joined = gunzipSync(await readFile(join(folder, runFiles.joined)));
    const rows = joined
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 21 }, (_, index) => 105 + index));
  });

  it('is told by its hashes: of the experiment as it ran, and of the ledger’s bytes', async () => {
    const ledger = sha256(await readFile(join(folder, runFiles.ledger)));
    const { experiment } = content.run as ExperimentRun;
    expect(verdict.hashes).toEqual({
      ledger,
      experiment: sha256(JSON.stringify(JSON.parse(JSON.stringify(experiment)))),
    });
    expect(verdict.citation).toContain(`sha256:${ledger.slice(0, 16)}`);
  });

  it('is judged the same again', async () => {
    expect(await judgeRun(folder)).toEqual(verdict);
  });
});

describe('a run’s folder in which the outage was lost', () => {
  it('passes E1, with each drop explained by the proxy’s own log', async () => {
    const content = contentOf(e1, 'refused');
    const verdict = await judge(content);
    expect(verdict).toMatchObject({
      verdict: 'pass',
      reasons: [],
      dropped: 70,
      badRestarts: 1,
      outcomes: { ok: 230, 'status-502': 70 },
      proxyTries: { answers: 70, retries: 0, failedTries: 70 },
      atRisk: { due: 77, dropped: 70 },
      predicted: { dropped: 70, differencePercent: 0 },
      direct: { due: 60, dropped: 14, outcomes: { ok: 46, refused: 14 }, longestWaitMs: 2 },
      reconciliation: {
        unexplained: 0,
        causes: { 'refused: nobody listened at the backend’s port': 70 },
        examples: {
          'refused: nobody listened at the backend’s port': { seq: 105, file: 'witnesses/traefik.log.gz', line: 2 },
        },
      },
    });
    expect(verdict.dropWindows).toEqual([
      {
        fromUs: 1_050_100,
        toUs: 1_742_000,
        dropped: 70,
        // The process was gone after the first drop was known.
        openedBy: { kind: 'accept-stopped', atUs: 1_050_000, line: 5 },
        closedBy: { kind: 'accepting', atUs: 1_750_000, line: 11 },
      },
    ]);
    // The proxy’s only try of each was refused: surely not applied.
    const writes = content.ledger.filter(({ method, version }) => method === 'POST' && version === null).length;
    expect(writes).toBeGreaterThan(20);
    expect(verdict.writes).toMatchObject({ acknowledged: 150 - writes, failed: writes, indeterminate: 0 });
  });

  it('explains a 503 without a backend by the proxy’s check, and holds requests at risk for two intervals more', async () => {
    const content = contentOf(e2, 'refused');
    content.ledger = content.ledger.map((one) =>
      one.version === null ? { ...one, outcome: 'status-503', status: 503 } : one,
    );
    content.access = content.ledger.map((one) =>
      accessFieldsOf(one, one.version === null ? { ServiceAddr: undefined } : {}),
    );
    const check = (atUs: number, to: string): string =>
      `${stampOf(atUs)} ${JSON.stringify({ serviceName: 'demo@file', message: `Setting status of http://127.0.0.1:18080 to ${to}` })}`;
    content.proxyLog = [check(1_010_000, 'DOWN'), check(1_740_000, 'UP')];
    const verdict = await judge(content);
    expect(verdict.reconciliation).toMatchObject({
      unexplained: 0,
      causes: { 'the proxy’s check held no backend to be up': 70 },
    });
    expect(verdict.proxyTries).toEqual({ answers: 0, retries: 0, failedTries: 0 });
    // 0.99 s to 1.755 s, and twice the interval of 1 s: slots 99 to 299.
    expect(verdict.atRisk).toMatchObject({ due: 201, dropped: 70 });
  });

  it('without a proxy is explained by the timeline, and nothing is asked of the proxy’s logs', async () => {
    const content = contentOf(e1, 'refused', 'direct');
    content.ledger = content.ledger.map((one) => (one.version === null ? { ...one, ...refused } : one));
    const verdict = await judge({ ...content, access: null, proxyLog: null });
    expect(verdict).toMatchObject({ verdict: 'pass', dropped: 70, proxyTries: null, witnesses: { proxy: null } });
    expect(verdict.reconciliation.examples).toEqual({
      'the site’s port was closed, or its process was leaving': { seq: 105, file: 'timeline.ndjson', line: 5 },
    });
  });
});

describe('a run of which no clock is known', () => {
  it('is judged on the clock’s own zero', async () => {
    const content = contentOf(e5, 'waited');
    content.run = { ...content.run, originMonotonicUs: null, wallOffsetUs: null };
    content.access = content.ledger.map((one) =>
      accessFieldsOf(one, { StartUTC: new Date(((one.sentUs ?? 0) + 100) / 1000).toISOString() }),
    );
    content.site = content.ledger.map((one) =>
      siteLineOf(one, { receivedUs: one.doneUs - 600, answeredUs: one.doneUs - 300 }),
    );
    expect((await judge(content)).reconciliation.disagreeing).toBe(0);
  });
});

describe('a measurement of the user’s own service', () => {
  const contentWith = (refusedSeqs: readonly number[], run = serviceRecord({ maxDropped: 100 })): FolderContent => {
    const content = contentOf(e5, 'waited');
    for (const seq of refusedSeqs) change(seq, refused)(content);
    const none = { access: null, site: null, proxyLog: null, database: null, queues: null, engine: null, kernel: null };
    return { ...content, ...none, run, direct: null, controls: null };
  };

  it('has the client as its only witness', async () => {
    const verdict = await judge(contentWith([], serviceRecord()));
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
      perRestart: [{ longestQueue: null, expectedQueue: null, predictedDropped: null }],
      reconciliation: { rows: 300, disagreeing: 0 },
    });
    expect(verdict.hashes.experiment).toBe(sha256(JSON.stringify(serviceRecord().service)));
  });

  it('fails for each request above the limit that was set', async () => {
    const failed = await judge(contentWith([40], serviceRecord({ maxDropped: 0 })));
    expect(failed).toMatchObject({ verdict: 'fail', dropped: 1, dropWindows: [{ dropped: 1 }] });
    expect(failed.reasons).toEqual(['Expected of dropped requests: at most 0; measured: 1. [expectation]']);
    expect(failed.expectations[0]?.because).toContain('--max-dropped');
  });

  it('is not back where it is gone again when the load ends', async () => {
    const gone = await judge(contentWith([299]));
    expect(gone).toMatchObject({ verdict: 'fail', headline: 'not back', dropped: 1 });
  });

  describe('with several restarts', () => {
    /** Deploys at 0.99 s, as one measurement has it, and at 2 s; steady from 1.4 s and 2.4 s. */
    const seriesOf = (refusedSeqs: readonly number[], over: Partial<ServiceRun['service']> = {}): FolderContent => {
      const content = contentWith(refusedSeqs, serviceRecord({ maxDropped: 100, restarts: 2, ...over }));
      const add = (kind: EventKind, atUs: number, restart: number): void => {
        content.timeline.push({ atUs, kind, source: 'deployer', restart });
      };
      add('steady', 1_400_000, 1);
      add('deploy-begin', 2_000_000, 2);
      add('deploy-end', 2_200_000, 2);
      add('steady', 2_400_000, 2);
      content.timeline.sort((a, b) => a.atUs - b.atUs);
      for (const one of content.ledger) Object.assign(one, { version: 'v1', instance: 'i1' });
      return content;
    };

    it('counts the drops of each', async () => {
      const verdict = await judge(seriesOf([110, 210, 211]));
      expect(verdict.perRestart.map(({ droppedInRestart }) => droppedInRestart)).toEqual([1, 2]);
      expect(verdict).toMatchObject({ verdict: 'pass', restarts: 2, badRestarts: 2, notes: [] });
    });

    it('tells in which of them nothing changed, which --must-change asks of each', async () => {
      // The first is seen by its refused request; who listens changed around neither.
      expect((await judge(seriesOf([110]))).notes).toEqual([
        expect.stringContaining('ran in restart 2 of 2: no request'),
      ]);
      const verdict = await judge(seriesOf([110], { mustChange: true }));
      expect(verdict.verdict).toBe('inconclusive');
      expect(verdict.reasons).toEqual([expect.stringContaining('to change in restart 2 of 2, as --must-change asks')]);
      const listeners = { restart: 2, before: '7/1', after: '8/2' };
      const other = seriesOf([110], { mustChange: true });
      other.run = { ...other.run, listenersByRestart: [listeners] } as ServiceRun;
      expect(await judge(other)).toMatchObject({ verdict: 'pass', reasons: [] });
    });

    it('sees a change back to the version before the last', async () => {
      const content = seriesOf([], { mustChange: true });
      for (const one of content.ledger) Object.assign(one, { version: one.seq < 105 || one.seq >= 205 ? 'v1' : 'v2' });
      expect(await judge(content)).toMatchObject({ verdict: 'pass', reasons: [] });
    });

    it('is inconclusive with too few for its claim, which no certain failure waits for', async () => {
      // 0.98^149 < 5 % ≤ 0.98^148.
      const tooFew = 'it takes 149 clean ones in a row (--restarts 149). [too-few-restarts]';
      const clean = await judge(seriesOf([], { claimPercent: 98 }));
      expect(clean).toMatchObject({ verdict: 'inconclusive', headline: 'too few restarts for the claim' });
      expect(clean.reasons.join()).toContain(tooFew);
      const dropped = await judge(seriesOf([110], { claimPercent: 98, maxDropped: 0 }));
      expect(dropped).toMatchObject({ verdict: 'fail', headline: '1 of 300 requests dropped' });
      expect(dropped.reasons.join()).toContain(tooFew);
      expect(await judge(seriesOf([110, 210], { claimPercent: 98 }))).toMatchObject({ verdict: 'fail' });
    });

    it('ended by a service that is not back, fails, and by a command that failed, is inconclusive', async () => {
      const gone = seriesOf([110, 210], { restarts: 5 });
      const last = gone.timeline.findLast(({ kind }) => kind === 'steady');
      Object.assign(last ?? {}, { kind: 'not-steady' });
      expect(await judge(gone)).toMatchObject({ verdict: 'fail', headline: 'not back' });
      const failed = seriesOf([], { restarts: 5 });
      failed.run.troubles = ['The command failed.'];
      expect((await judge(failed)).reasons).toEqual(['The command failed. [deploy-trouble]']);
      expect((await judge(seriesOf([], { restarts: 5 }))).reasons).toEqual([
        'Only 2 of 5 restarts began before the load ended. [restarts-missing]',
      ]);
    });
  });

  it('is at risk until the slot after the last that was dropped before it was steady', async () => {
    const content = contentWith([110, 111, 112]);
    content.timeline.push({ atUs: 1_390_000, kind: 'steady', source: 'deployer', restart: 1 });
    content.timeline.sort((a, b) => a.atUs - b.atUs);
    // The deploy lasts from 0.99 s to 1.2 s; slot 112 is due at 1.12 s: at risk are the slots 99 to 119.
    expect(await judge(content)).toMatchObject({ verdict: 'pass', atRisk: { due: 21, dropped: 3 } });
  });
});

describe('what is wrong in a run’s files', () => {
  it('makes it inconclusive, and each of it is told', async () => {
    const content = contentOf(e5, 'waited');
    const { ledger, access, proxyLog, notes, engine } = content;
    change(60, { instance: 'i1' })(content);
    change(62, { status: 204 })(content);
    // A 502 where no restart was.
    answerTo(70, { outcome: 'status-502', status: 502, version: null, instance: null })(content);
    proxyLog?.push(failedTryLine(701_800), failedTryLine(500_000));
    access?.splice(82, 1, accessFieldsOf(ledger[82] ?? row(82), { StartUTC: stampOf(3_600e6) }));
    // Hung on the way back.
    const read = { receivedUs: originMonotonicUs + 841_000, answeredUs: originMonotonicUs + 841_100 };
    answerTo(84, { doneUs: 1_040_000 }, read)(content);
    notes.push({ id: idOf(998), times: 1, versions: 'v0', writtenUs: 1 });
    content.database = { integrity: 'malformed', journalMode: 'wal', walBytes: 0 };
    content.run.wallOffsetUs = [5, 25_006];
    engine?.push({ atWallUs: originWallUs, action: 'die', role: 'client', detail: 'status 1' });
    content.direct =
      content.direct?.map((one) => (one.seq === 7 ? { ...one, outcome: 'refused', status: null } : one)) ?? null;
    const cPlus = verdictOfTest({ dropped: 0 });
    content.controls = {
      calibration: { ...calibration, wrong: [{ case: 'rst, GET, kept', sentences: ['39 of 40'] }] },
      controls: [{ role: 'C+', name: 'E5 own-port', because: 'it must drop something', verdict: cPlus }],
    };
    const experiment = (content.run as ExperimentRun).experiment;
    const claim = { cleanPercent: 99, because: 'so it was asked for' };
    content.run = {
      ...content.run,
      experiment: { ...experiment, expect: { ...experiment.expect, claim } },
    } as ExperimentRun;
    // Last, since it moves the rows: one is gone, one is there twice.
    access?.splice(90, 1);
    access?.push(accessFieldsOf(row(91, ledger[91])));
    ledger.splice(40, 1);
    ledger.push(row(50, ledger[49]));
    const { verdict, reasons, unexplained } = await judge(content);
    expect([verdict, unexplained]).toEqual(['inconclusive', 1]);
    const told = [
      'The container `client` ended during the run (die status 1; witnesses/engine.ndjson:4)',
      'The instrument is not calibrated on this machine: 1 of 20 cases came out wrong (rst, GET, kept: 39 of 40)',
      'Its control C+ (E5 own-port, 20261123T120000Z-abcd) dropped nothing of',
      '2 answers took more than 100 ms between client and proxy',
      "The proxy's two logs disagree: 1 failed answers and 0 further tries in the one or the other, but 2 failed",
      '1 slots have no row and 1 have more than one',
      '1 requests sent are not in the log, 1 in the log were not sent, 1 arrived more than once, 1 were answered otherwise',
      'rows do not agree',
      'Of 1 drops no witness other than the client shows a cause (rows 70)',
      'holds 2 writes of this load that the ledger does not have',
      'SQLite says that the database is damaged: malformed',
      "The engine's wall clock moved by 25.0 ms",
      'row 7 is refused, and the site read it',
      'witnesses/controls.json has the controls C+',
      'Too few restarts for the claim that 99 % of them are clean',
    ];
    expect(
      told.filter((sentence) => !reasons.join('\n').includes(sentence)),
      reasons.join('\n'),
    ).toEqual([]);
  });

  it('is the site’s own failure where a process ended that nobody had told to', async () => {
    const content = contentOf(e5, 'waited');
    content.timeline.splice(11, 0, event('exit', 2_900_000));
    const verdict = await judge(content);
    expect(verdict).toMatchObject({ verdict: 'fail', headline: 'the site’s process ended by itself' });
    expect(verdict.reasons[0]).toBe(
      'Expected of ends of the site’s process that no deploy asked for: none; measured: exit (app) at 2.900 s ' +
        '(timeline.ndjson:12). [expectation]',
    );
  });
});

describe('a witness that is empty, or gone', () => {
  it('may be the controls: then the verdict says that there were none', async () => {
    const verdict = await judge({ ...contentOf(e5, 'waited'), controls: null });
    expect(verdict).toMatchObject({ verdict: 'pass', controls: null, calibration: null });
    expect(verdict.citation).toContain('[without controls: not for citing]');
  });

  it('makes the run inconclusive', async () => {
    const empty = { engine: [], queues: [], kernel: {}, proxyLog: [], timeline: [], database: null };
    const direct = contentOf(e5, 'waited').direct?.slice(0, 30) ?? null;
    const told = (await judge({ ...contentOf(e5, 'waited'), ...empty, direct })).reasons.join('\n');
    for (const sentence of [
      'witnesses/direct.ndjson.gz has 30 of about 60 requests',
      'does not have the start of server, edge, client',
      'witnesses/queues.ndjson.gz is empty',
      'witnesses/kernel.json is empty',
      'witnesses/traefik.log.gz is empty',
      'Only 0 of 1 restarts began',
      'The database was not read',
    ]) {
      expect(told).toContain(sentence);
    }
  });
});

describe('a file of the run that was changed', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await writeFolder(contentOf(e5, 'waited'), { isOfOneTest: false });
    return () => rm(folder, { recursive: true });
  });

  /** Judges the run with this in place of a file; null: the file is gone. */
  async function judgeWith(name: string, change: (bytes: Buffer) => string | Buffer | null): Promise<Verdict> {
    const path = join(folder, name);
    const bytes = await readFile(path);
    const changed = change(bytes);
    await (changed === null ? rm(path) : writeFile(path, changed));
    try {
      return await judgeRun(folder);
    } finally {
      await writeFile(path, bytes);
    }
  }

  it.each([
    runFiles.run,
    runFiles.timeline,
    runFiles.ledger,
    runFiles.accessLog,
    runFiles.requestLog,
    runFiles.queues,
    runFiles.kernel,
  ])('is named where it is missing: %s', async (name) => {
    await expect(judgeWith(name, () => null)).rejects.toThrow(name.split('/').at(-1));
    await expect(readFile(join(folder, runFiles.verdict))).rejects.toThrow('ENOENT');
  });

  it.each([runFiles.ledger, runFiles.proxyLog, runFiles.notes])('is named where it was cut short: %s', async (name) => {
    const sentence = `${name.split('/').at(-1) ?? ''} cannot be read to its end`;
    await expect(judgeWith(name, (bytes) => bytes.subarray(0, -5))).rejects.toThrow(sentence);
  });

  it('says that the database was not read where the file of its notes has no line', async () => {
    const { verdict, writes, reasons } = await judgeWith(runFiles.notes, () => gzipSync(''));
    expect([verdict, writes]).toEqual(['inconclusive', null]);
    expect(reasons.join('\n')).toContain('The database was not read');
  });

  const counters = 'kernel.json is not a record of counters';
  const controls = 'controls.json is not a record of controls';
  it.each([
    [runFiles.kernel, '[1]', `${counters} that this version reads: Invalid input: expected record, received array.`],
    [runFiles.controls, '{"controls":[]}', `${controls} that this version reads: calibration: Invalid input`],
  ])('is damage where it is of another form: %s of %s', async (name, text, sentence) => {
    const damage = { code: 'run-damaged', message: expect.stringContaining(sentence) as string };
    await expect(judgeWith(name, () => text)).rejects.toMatchObject(damage);
  });

  it.each<[Readonly<Record<string, unknown>>, string]>([
    [
      { durationMs: 1e12 },
      'durationMs: at 100 requests a second that is more than the 2147483647 that any run may have',
    ],
    [{ durationMs: -1 }, 'durationMs: Too small'],
    [{ aborted: '' }, 'aborted: Too small'],
    [{ originMonotonicUs: 0.5 }, 'originMonotonicUs: Invalid input'],
  ])('is damage where it is the run’s own record: %o', async (fields, why) => {
    const sentence = `run.json is not a run record that this version reads: ${why}`;
    const damage = { code: 'run-damaged', message: expect.stringContaining(sentence) as string };
    const change = (bytes: Buffer): string => JSON.stringify({ ...(JSON.parse(String(bytes)) as object), ...fields });
    await expect(judgeWith(runFiles.run, change)).rejects.toMatchObject(damage);
  });

  it('is no longer what the others give, where it is of those that make the timeline', async () => {
    const spoil = (line: string): string => (line.includes('accept-stopped') ? '' : line);
    const change = (bytes: Buffer): string => String(bytes).split('\n').map(spoil).join('\n');
    const { verdict, reasons } = await judgeWith(runFiles.journal, change);
    expect(verdict).toBe('inconclusive');
    expect(reasons.join('\n')).toMatch(/timeline\.ndjson is not what .* give \(line \d+ differs\)/u);
  });
});

describe('a run that was cut short', () => {
  it.each([
    ['only its ledger', [runFiles.ledger], 300],
    ['nothing but its record', [], 0],
  ])('is aborted, with the counts that there are, where it left %s', async (_, kept, due) => {
    const content = contentOf(e5, 'waited');
    if (content.run.kind === 'experiment') content.run = { ...content.run, aborted: 'The run did not end.' };
    const folder = await writeFolder(content);
    for (const name of await readdir(folder)) {
      if (![runFiles.run as string, ...kept].includes(name)) await rm(join(folder, name), { recursive: true });
    }
    expect(await judgeRun(folder)).toMatchObject({
      verdict: 'aborted',
      due,
      reasons: ['The run did not end. [aborted]'],
    });
  });
});

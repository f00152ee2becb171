import { createHash } from 'node:crypto';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e2 from '../../experiments/E2-drain-only.ts';
import e3 from '../../experiments/E3-retry.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import e6 from '../../experiments/E6-blue-green.ts';
import type { LedgerRow } from '../load/row.ts';
import { runFiles } from '../scenario/run-folder.ts';
import type { ExperimentRun } from '../scenario/run-record.ts';
import { judgeRun } from './judge.ts';
import { row, serviceRecord, verdictOfTest } from './testing.ts';
import {
  accessFieldsOf,
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
import { verdictSchema, type Verdict } from './verdict.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function folderOf(content: FolderContent): Promise<string> {
  const folder = await writeFolder(content);
  folders.push(folder);
  return folder;
}

/** The verdict of the whole of E5, or of E1, spoilt in one way. */
async function judge(
  spoil: (content: FolderContent) => void = () => undefined,
  of: 'E5' | 'E1' = 'E5',
): Promise<Verdict> {
  const content = of === 'E5' ? contentOf(e5, 'waited') : contentOf(e1, 'refused');
  spoil(content);
  return judgeRun(await folderOf(content));
}

/** Changes one row of the ledger. */
const change =
  (seq: number, over: Partial<LedgerRow>) =>
  ({ ledger }: FolderContent): void => {
    const one = ledger[seq];
    if (one === undefined) throw new Error(`no row ${seq}`);
    ledger[seq] = { ...one, ...over };
  };

const rowOf = ({ ledger }: FolderContent, seq: number): LedgerRow => {
  const one = ledger[seq];
  if (one === undefined) throw new Error(`no row ${seq}`);
  return one;
};

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

describe('a run’s folder in which nothing was dropped', () => {
  it('passes, with every figure in its place', async () => {
    const verdict = await judge();
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
      controls: [],
      proxyTries: { answers: 0, retries: 0, failedTries: 0 },
      restarts: 1,
      voidRestarts: 0,
      badRestarts: 0,
      longestOutageMs: 700,
      // Slot 105, due at 1.05 s, was done at 1.756105 s.
      longestWaitMs: 706.105,
      predicted: { dropped: 0, range: [0, 0], differencePercent: null },
    });
    expect(verdict.writes).toEqual({
      acknowledged: 150,
      failed: 0,
      indeterminate: 0,
      recovered: 0,
      lost: 0,
      duplicated: 0,
      misattributed: 0,
      unexpected: 0,
      examples: { lost: [], duplicated: [], misattributed: [], unexpected: [] },
      integrity: 'ok',
      busy: { refused: 0, shortestRefusalMs: null, longestRefusalMs: null, waits: 0, longestWaitMs: 0.1 },
    });
    expect(verdict.reconciliation).toEqual({
      rows: 300,
      disagreeing: 0,
      disagreements: [],
      causes: {},
      examples: {},
      unexplained: 0,
      unexplainedRows: [],
    });
    expect(verdict.witnesses).toEqual({
      proxy: { arrived: 300, ledgerSent: 300, missing: 0, extra: 0, repeated: 0, disagreeing: 0 },
      kernel: { 'TcpExt.ListenDrops': 0 },
    });
    expect(verdict.perRestart).toMatchObject([{ outageMs: 700, dueInOutage: 70, longestQueue: 65 }]);
    // 14 of the direct probe’s slots lie in the outage; the first waited 702 ms.
    expect(verdict.direct).toEqual({
      ratePerSecond: 20,
      due: 60,
      dropped: 0,
      outcomes: { ok: 60 },
      longestWaitMs: 702,
    });
    // Those due from 1.05 s to 1.25 s waited more than half a second, in the queue of the port.
    expect(verdict.stalls).toMatchObject({
      count: 21,
      outsideRestarts: 0,
      byPlace: { 'between the proxy and the site: in the queue of its port, or on a port that was closed': 21 },
    });
    expect(verdict.transit).toMatchObject({ slow: 0, firstSlowRow: null, longestMs: 0.4 });
  });

  it('is written down: the verdict as it was returned, and the rows that were not plainly answered', async () => {
    const folder = await folderOf(contentOf(e5, 'waited'));
    const verdict = await judgeRun(folder);
    const text = await readFile(join(folder, runFiles.verdict), 'utf8');
    expect(text).toBe(`${JSON.stringify(verdict, null, 2)}\n`);
    expect(verdictSchema.parse(JSON.parse(text))).toEqual(verdict);
    const joined = gunzipSync(await readFile(join(folder, runFiles.joined))).toString();
    expect(joined.trimEnd().split('\n')).toHaveLength(21);
  });

  it('is told by its hashes: of the experiment as it ran, and of the ledger’s bytes', async () => {
    const content = contentOf(e5, 'waited');
    const folder = await folderOf(content);
    const { hashes, citation } = await judgeRun(folder);
    const ledger = sha256(await readFile(join(folder, runFiles.ledger)));
    const { experiment } = content.run as ExperimentRun;
    expect(hashes.ledger).toBe(ledger);
    expect(hashes.experiment).toBe(sha256(JSON.stringify(JSON.parse(JSON.stringify(experiment)))));
    expect(citation).toContain(`sha256:${ledger.slice(0, 16)}`);
  });

  it('is judged the same again', async () => {
    const folder = await folderOf(contentOf(e5, 'waited'));
    expect(await judgeRun(folder)).toEqual(await judgeRun(folder));
  });
});

describe('a run’s folder in which the outage was lost', () => {
  it('passes E1, with each drop explained by the proxy’s own log', async () => {
    const verdict = await judge(undefined, 'E1');
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
    });
    expect(verdict.reconciliation).toMatchObject({
      unexplained: 0,
      causes: { 'refused: nobody listened at the backend’s port': 70 },
      examples: {
        'refused: nobody listened at the backend’s port': { seq: 105, file: 'witnesses/traefik.log.gz', line: 2 },
      },
    });
    expect(verdict.dropWindows).toEqual([
      {
        fromUs: 1_050_100,
        toUs: 1_742_000,
        dropped: 70,
        // The process was gone after the first drop was known.
        openedBy: { kind: 'accept-stopped', atUs: 1_050_000, line: 5 },
        closedBy: { kind: 'accepting', atUs: 1_750_000, line: 9 },
      },
    ]);
    // The proxy’s only try of each was refused: surely not applied.
    expect(verdict.writes).toMatchObject({ acknowledged: 115, failed: 35, indeterminate: 0 });
  });

  it('leaves a refused write indeterminate where the proxy may have tried before', async () => {
    const content = contentOf(e3, 'refused');
    const verdict = await judgeRun(await folderOf(content));
    expect(verdict.writes).toMatchObject({ acknowledged: 115, failed: 0, indeterminate: 35 });
  });

  it('leaves a write indeterminate whose connection was reset', async () => {
    const verdict = await judge((content) => {
      content.proxyLog = content.ledger
        .filter(({ version }) => version === null)
        .map(({ doneUs }) => failedTryLine(doneUs - 200, 'EOF'));
    }, 'E1');
    expect(verdict.writes).toMatchObject({ failed: 0, indeterminate: 35 });
  });

  it('fails E5 for the same rows', async () => {
    const content = contentOf(e5, 'refused');
    const verdict = await judgeRun(await folderOf(content));
    expect(verdict).toMatchObject({ verdict: 'fail', dropped: 70, badRestarts: 1 });
    expect(verdict.reasons.slice(0, 2)).toEqual([
      'Expected of dropped requests: at most 0; measured: 70.',
      'Expected of restarts that dropped something: at most 0; measured: 1 of 1.',
    ]);
  });

  it('explains a 503 without a backend by the proxy’s check, and holds requests at risk for two intervals more', async () => {
    const content = contentOf(e2, 'refused');
    content.ledger = content.ledger.map((one) =>
      one.version === null ? { ...one, outcome: 'status-503', status: 503 } : one,
    );
    content.access = content.ledger.map((one) => {
      const { ServiceAddr, ...rest } = accessFieldsOf(one);
      return one.version === null ? rest : { ...rest, ServiceAddr };
    });
    const check = (atUs: number, to: string): string =>
      `${stampOf(atUs)} ${JSON.stringify({ serviceName: 'demo@file', message: `Setting status of http://127.0.0.1:18080 to ${to}` })}`;
    content.proxyLog = [check(1_010_000, 'DOWN'), check(1_740_000, 'UP')];
    const verdict = await judgeRun(await folderOf(content));
    expect(verdict.reconciliation).toMatchObject({
      unexplained: 0,
      causes: { 'the proxy’s check held no backend to be up': 70 },
    });
    expect(verdict.proxyTries).toEqual({ answers: 0, retries: 0, failedTries: 0 });
    expect(verdict.writes).toMatchObject({ failed: 35, indeterminate: 0 });
    // 0.99 s to 1.755 s, and twice the interval of 1 s: slots 99 to 299.
    expect(verdict.atRisk).toMatchObject({ due: 201, dropped: 70 });
  });
});

describe('what is wrong in one file is found', () => {
  it.each<[string, (content: FolderContent) => void, string]>([
    ['a row is gone from the ledger', ({ ledger }) => void ledger.splice(40, 1), '1 slots have no row'],
    ['a row is there twice', (content) => void content.ledger.push(rowOf(content, 40)), '1 have more than one'],
    ['an answer came from another process', change(40, { instance: 'i1' }), 'names another process'],
    ['a status was changed', change(40, { status: 204 }), 'answered otherwise'],
    ['a due time was changed', change(40, { dueUs: 399_999 }), 'it was not due at 399999'],
    ['an id was changed', change(40, { requestId: idOf(41) }), `its id is ${idOf(41)}`],
    ['the proxy’s log lacks a line', ({ access }) => void access?.splice(40, 1), '1 requests sent are not in the log'],
    [
      'the proxy’s log has a line twice',
      (content) => void content.access?.push(accessFieldsOf(rowOf(content, 40))),
      '1 arrived more than once',
    ],
    [
      'the proxy’s log has a request of this load that nobody sent',
      (content) => void content.access?.push(accessFieldsOf(rowOf(content, 40), { 'request_X-Request-Id': idOf(300) })),
      '1 in the log were not sent',
    ],
    [
      'the proxy answered otherwise',
      (content) => void content.access?.splice(40, 1, accessFieldsOf(rowOf(content, 40), { DownstreamStatus: 500 })),
      '1 were answered otherwise',
    ],
    [
      'the proxy’s clock is off',
      (content) =>
        void content.access?.splice(40, 1, accessFieldsOf(rowOf(content, 40), { StartUTC: stampOf(3_600e6) })),
      'the proxy saw it begin at 3600000000',
    ],
    ['the site’s log lacks a line', ({ site }) => void site?.splice(40, 1), "the site's log has no answer 200"],
    [
      'the site’s clock is off',
      (content) => void content.site?.splice(40, 1, siteLineOf(rowOf(content, 40), { receivedUs: 5, answeredUs: 6 })),
      'the site read it at',
    ],
    [
      'the proxy logged an error of which nobody was told',
      ({ proxyLog }) => void proxyLog?.push(failedTryLine(500_000)),
      "The proxy's two logs disagree: 0 failed answers and 0 further tries in the one or the other, but 1 failed",
    ],
    [
      'the database has a write that nobody sent',
      ({ notes }) => void notes.push({ id: idOf(998), times: 1, versions: 'v0' }),
      'holds 1 writes of this load that the ledger does not have',
    ],
    [
      'the database is damaged',
      (content) => void (content.database = { integrity: 'malformed', journalMode: 'wal', walBytes: 0 }),
      'SQLite says that the database is damaged: malformed',
    ],
    ['the database was not read', (content) => void (content.database = null), 'The database was not read'],
    [
      'the clock stepped',
      (content) => void (content.run.wallOffsetUs = [5, 25_006]),
      "The engine's wall clock moved by 25.0 ms",
    ],
    [
      'a container ended',
      ({ engine }) => void engine?.push({ atWallUs: originWallUs, action: 'die', role: 'client', detail: 'status 1' }),
      'The container `client` ended during the run (die status 1; witnesses/engine.ndjson:2)',
    ],
    [
      'a process ended that nobody had told to',
      ({ timeline }) => void timeline.splice(11, 0, event('exit', 2_900_000)),
      "The site's process ended at 2.900 s although no deploy asked for it (exit (app); timeline.ndjson:12)",
    ],
    [
      'the window was not seen',
      (content) => void (content.timeline = content.timeline.filter(({ kind }) => kind !== 'accepting')),
      'Of restarts 1 the outage window was not seen',
    ],
    [
      'the deploy never began',
      (content) => void (content.timeline = content.timeline.filter(({ restart }) => restart === 0)),
      'Only 0 of 1 restarts began',
    ],
    [
      'a control did not drop',
      (content) =>
        void (content.controls = [
          {
            role: 'C+',
            name: 'E5 own-port',
            because: 'it must drop something',
            verdict: verdictOfTest({ dropped: 0 }),
          },
        ]),
      'Its control C+ (E5 own-port, 20261123T120000Z-abcd) did not come out as it must',
    ],
    [
      'answers hung on the way back',
      (content) => {
        change(40, { doneUs: 600_000 })(content);
        content.access?.splice(40, 1, accessFieldsOf(rowOf(content, 40)));
      },
      '1 answers took more than 100 ms between client and proxy, at most 198 ms (first: row 40)',
    ],
  ])('when %s', async (_, spoil, reason) => {
    const { verdict, reasons } = await judge(spoil);
    expect(verdict).toBe('inconclusive');
    expect(reasons.join('\n')).toContain(reason);
  });

  it('when a drop was made ok, as far as its row alone can tell', async () => {
    const { verdict, reasons, dropped } = await judge((content) => {
      content.ledger = contentOf(e5, 'waited').ledger;
      content.notes = contentOf(e5, 'waited').notes;
    }, 'E1');
    expect([verdict, dropped]).toEqual(['inconclusive', 0]);
    expect(reasons.join('\n')).toContain('70 were answered otherwise');
    expect(reasons.join('\n')).toContain('70 of 300 rows do not agree');
    expect(reasons.join('\n')).toContain("201 here, 502 in the proxy's log (line 106)");
  });

  it('when a 502 stands where no restart was: it is unexplained', async () => {
    const verdict = await judge((content) => {
      change(40, { outcome: 'status-502', status: 502, version: null, instance: null })(content);
      content.access?.splice(40, 1, accessFieldsOf(rowOf(content, 40)));
      content.site?.splice(40, 1);
      content.proxyLog?.push(failedTryLine(401_800));
    });
    expect(verdict).toMatchObject({ verdict: 'inconclusive', unexplained: 1, dropped: 1 });
    expect(verdict.reconciliation.unexplainedRows).toEqual([40]);
    expect(verdict.dropWindows).toMatchObject([{ dropped: 1, openedBy: null }]);
  });

  it('when an acknowledged write is not in the database: it is lost', async () => {
    const verdict = await judge(({ notes }) => void notes.splice(3, 1));
    expect(verdict).toMatchObject({ verdict: 'fail', writes: { lost: 1, examples: { lost: [idOf(7)] } } });
    expect(verdict.reasons).toEqual(['Expected of writes lost: at most 0; measured: 1.']);
  });

  it('when a write is in the database twice', async () => {
    const verdict = await judge(({ notes }) => void notes.splice(3, 1, { id: idOf(7), times: 2, versions: 'v0' }));
    expect(verdict).toMatchObject({
      verdict: 'fail',
      writes: { lost: 0, duplicated: 1, examples: { duplicated: [idOf(7)] } },
    });
  });

  it('when a write that was refused is in the database', async () => {
    const verdict = await judge(({ notes }) => void notes.push({ id: idOf(107), times: 1, versions: 'v1' }), 'E1');
    expect(verdict).toMatchObject({ verdict: 'fail', writes: { misattributed: 1, unexpected: 0 } });
  });

  it('when a version that was out of rotation answered', async () => {
    const verdict = await judge((content) => {
      change(200, { version: 'v0', instance: 'i0' })(content);
      content.access?.splice(200, 1, accessFieldsOf(rowOf(content, 200)));
      content.site?.splice(200, 1, siteLineOf(rowOf(content, 200)));
    });
    expect(verdict).toMatchObject({ verdict: 'fail', stale: 1 });
    expect(verdict.reasons).toEqual(['Expected of stale answers: at most 0; measured: 1.']);
  });

  it('when an answer stalled outside of every restart', async () => {
    const stall = (content: FolderContent): void => {
      change(40, { doneUs: 990_000 - 1 })(content);
      content.access?.splice(40, 1, accessFieldsOf(rowOf(content, 40)));
      content.site?.splice(40, 1, siteLineOf(rowOf(content, 40), { receivedUs: originMonotonicUs + 400_300 }));
    };
    expect(await judge(stall)).toMatchObject({ verdict: 'fail', stalls: { outsideRestarts: 1, outsideRows: [40] } });
    // Not so where it was a process’s unplanned end that made it wait.
    const ended = await judge((content) => {
      stall(content);
      content.timeline.splice(1, 0, event('main-exited', 450_000), event('accepting', 900_000));
    });
    expect(ended).toMatchObject({ verdict: 'inconclusive', stalls: { outsideRestarts: 0 } });
    expect(ended.stalls.byPlace).toMatchObject({ 'in the site': 1 });
  });

  it('when SQLite refused a write', async () => {
    const verdict = await judge((content) => {
      change(41, { outcome: 'status-503', status: 503 })(content);
      content.access?.splice(41, 1, accessFieldsOf(rowOf(content, 41)));
      content.site?.splice(41, 1, siteLineOf(rowOf(content, 41), { store: { waitMs: 20_000, code: 'SQLITE_BUSY' } }));
      content.notes = content.notes.filter(({ id }) => id !== idOf(41));
    });
    expect(verdict).toMatchObject({ verdict: 'fail', dropped: 1, unexplained: 0 });
    expect(verdict.writes).toMatchObject({ failed: 1, busy: { refused: 1, longestRefusalMs: 20_000 } });
    expect(verdict.reconciliation.examples).toEqual({
      'the site itself answered 503 (SQLITE_BUSY)': { seq: 41, file: 'witnesses/site-requests.ndjson.gz', line: 42 },
    });
  });

  it('when the proxy had ended', async () => {
    const verdict = await judge((content) => {
      change(40, {
        outcome: 'refused',
        status: null,
        firstByteUs: null,
        version: null,
        instance: null,
        error: 'ECONNREFUSED, connect',
      })(content);
      content.access?.splice(40, 1);
      content.site?.splice(40, 1);
      content.engine?.push({ atWallUs: originWallUs + 350_000, action: 'die', role: 'edge', detail: 'status 137' });
    });
    expect(verdict).toMatchObject({ verdict: 'inconclusive', dropped: 1, unexplained: 0 });
    expect(verdict.reconciliation.causes).toEqual({ 'the proxy’s container had ended': 1 });
  });
});

describe('a file that is missing or cut short', () => {
  it.each([
    runFiles.run,
    runFiles.timeline,
    runFiles.ledger,
    runFiles.accessLog,
    runFiles.requestLog,
    runFiles.queues,
    runFiles.kernel,
  ])('is an error, and no verdict: %s', async (name) => {
    const folder = await folderOf(contentOf(e5, 'waited'));
    await rm(join(folder, name));
    await expect(judgeRun(folder)).rejects.toThrow(name.split('/').at(-1));
    await expect(readFile(join(folder, runFiles.verdict))).rejects.toThrow('ENOENT');
  });

  it.each([
    runFiles.ledger,
    runFiles.accessLog,
    runFiles.requestLog,
    runFiles.proxyLog,
    runFiles.notes,
    runFiles.queues,
    runFiles.direct,
  ])('that was cut short is an error that names it: %s', async (name) => {
    const folder = await folderOf(contentOf(e5, 'waited'));
    const path = join(folder, name);
    await truncate(path, (await readFile(path)).length - 5);
    await expect(judgeRun(folder)).rejects.toThrow(`${name.split('/').at(-1) ?? ''} cannot be read to its end`);
  });

  it('may be the direct probe’s, the engine’s, or the controls’: then the verdict says that there was none', async () => {
    const content = contentOf(e5, 'waited');
    const verdict = await judgeRun(await folderOf({ ...content, direct: null, engine: null, controls: null }));
    expect(verdict).toMatchObject({ verdict: 'pass', direct: null, controls: null });
    expect(verdict.expectations.filter(({ what }) => what.includes('own port'))).toEqual([]);
    expect(verdict.citation).toContain('[without controls: not for citing]');
  });

  it('of controls that are none is an error', async () => {
    const folder = await folderOf(contentOf(e5, 'waited'));
    await writeFile(join(folder, runFiles.controls), '[{"role":"C0"}]');
    await expect(judgeRun(folder)).rejects.toThrow();
  });
});

describe('what depends on the experiment', () => {
  it('without a proxy nothing is asked of its logs, and a drop is explained by the timeline', async () => {
    const content = contentOf(e1, 'refused', 'direct');
    content.access = null;
    content.proxyLog = null;
    content.ledger = content.ledger.map((one) =>
      one.version === null
        ? { ...one, outcome: 'refused', status: null, firstByteUs: null, error: 'ECONNREFUSED, connect' }
        : one,
    );
    const verdict = await judgeRun(await folderOf(content));
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
      (await judgeRun(await folderOf({ ...content, queues }))).perRestart[0]?.longestQueue;
    expect(await longest(contentOf(e5, 'waited'))).toBe(7);
    expect(await longest(contentOf(e6, 'waited'))).toBe(8);
  });

  it('a refused connection in a swap is explained for as long as the check may take to see it', async () => {
    const content = contentOf(e6, 'refused');
    // The new colour accepts before the old one stops, at 1.05 s: the check has until 3.05 s to see it.
    content.timeline = content.timeline.map((one) => (one.kind === 'accepting' ? { ...one, atUs: 1_000_000 } : one));
    const { reconciliation } = await judgeRun(await folderOf(content));
    expect(reconciliation).toMatchObject({
      unexplained: 0,
      causes: { 'refused: nobody listened at the backend’s port': 70 },
    });
  });

  it('requests are at risk until the end of the load where the new process was never ready', async () => {
    const content = contentOf(e5, 'waited');
    content.timeline = content.timeline.filter(({ kind }) => kind !== 'ready');
    expect((await judgeRun(await folderOf(content))).atRisk.due).toBe(201);
  });

  it('requests are at risk until the old process is gone, where that is last', async () => {
    const content = contentOf(e5, 'waited');
    content.timeline = content.timeline.map((one) => (one.kind === 'exit' ? { ...one, atUs: 2_000_000 } : one));
    expect((await judgeRun(await folderOf(content))).atRisk.due).toBe(101);
  });

  it('the direct probe’s rate is the experiment’s, and its own faults are no drops', async () => {
    const content = contentOf(e5, 'waited');
    content.direct = [
      row(0),
      row(1, { outcome: 'unsent', sentUs: null, doneUs: 9e6 }),
      row(2, { outcome: 'reset', doneUs: 9e6 }),
    ];
    expect((await judgeRun(await folderOf(content))).direct).toEqual({
      ratePerSecond: 20,
      due: 3,
      dropped: 1,
      outcomes: { ok: 1, unsent: 1, reset: 1 },
      longestWaitMs: 2,
    });
    content.direct = [row(2, { outcome: 'reset' })];
    expect((await judgeRun(await folderOf(content))).direct?.longestWaitMs).toBeNull();
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
    expect((await judgeRun(await folderOf(content))).reconciliation.disagreeing).toBe(0);
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
    const verdict = await judgeRun(await folderOf(content()));
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
      proxyTries: null,
      witnesses: { proxy: null, kernel: {} },
      predicted: { dropped: null, range: null },
      stalls: { count: 21, byPlace: { somewhere: 21 }, outsideRestarts: 0 },
      transit: { longestMs: null },
      // No check is known of: from the command’s begin to the first answer.
      atRisk: { due: 77 },
    });
    expect(verdict.perRestart[0]).toMatchObject({ longestQueue: null, expectedQueue: null, predictedDropped: null });
    expect(verdict.reconciliation).toMatchObject({ rows: 300, disagreeing: 0 });
    expect(verdict.hashes.experiment).toBe(sha256(JSON.stringify(serviceRecord().service)));
  });

  it('fails for each request above the limit that was set', async () => {
    const dropped = (maxDropped: number): Promise<Verdict> => {
      const spoilt = { ...content(), run: serviceRecord({ maxDropped }) };
      change(40, { outcome: 'reset', status: null, firstByteUs: null, version: null, instance: null })(spoilt);
      return folderOf(spoilt).then(judgeRun);
    };
    const failed = await dropped(0);
    expect(failed).toMatchObject({ verdict: 'fail', dropped: 1, dropWindows: [{ dropped: 1 }] });
    expect(failed.reasons).toEqual(['Expected of dropped requests: at most 0; measured: 1.']);
    expect(await dropped(1)).toMatchObject({ verdict: 'pass', dropped: 1 });
  });

  it('is inconclusive for a row that contradicts itself', async () => {
    const spoilt = content();
    change(40, { status: 502 })(spoilt);
    const { verdict, reasons } = await judgeRun(await folderOf(spoilt));
    expect(verdict).toBe('inconclusive');
    expect(reasons.join()).toContain('row 40: ok with status 502');
  });
});

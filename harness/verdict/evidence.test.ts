import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e2 from '../../experiments/E2-drain-only.ts';
import e3 from '../../experiments/E3-retry.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import { runFiles } from '../run/run-folder.ts';
import type { ExperimentRun } from '../run/run-record.ts';
import { judgeRun } from './judge.ts';
import {
  accessFieldsOf,
  calibration,
  contentOf,
  failedTryLine,
  stampOf,
  writeFolder,
  type FolderContent,
} from './testing-folder.ts';
import { verdictSchema } from './verdict.ts';

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

/** Of the 150 writes, those that were due in the outage and refused. */
const writesRefused = ({ ledger }: FolderContent): number =>
  ledger.filter(({ method, version }) => method === 'POST' && version === null).length;

describe('a run’s folder in which nothing was dropped', () => {
  it('passes, with every figure in its place', async () => {
    const verdict = await judgeRun(await writeFolder(contentOf(e5, 'waited')));
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
    });
    expect(verdict.writes).toEqual({
      acknowledged: 150,
      failed: 0,
      indeterminate: 0,
      recovered: 0,
      lost: 0,
      early: 0,
      altered: 0,
      duplicated: 0,
      misattributed: 0,
      unexpected: 0,
      examples: { lost: [], early: [], altered: [], duplicated: [], misattributed: [], unexpected: [] },
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
      kernel: { 'Tcp.PassiveOpens': 2, 'TcpExt.ListenDrops': 0 },
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
    const folder = await writeFolder(contentOf(e5, 'waited'));
    const verdict = await judgeRun(folder);
    const text = await readFile(join(folder, runFiles.verdict), 'utf8');
    expect(text).toBe(`${JSON.stringify(verdict, null, 2)}\n`);
    expect(verdictSchema.parse(JSON.parse(text))).toEqual(verdict);
    const joined = gunzipSync(await readFile(join(folder, runFiles.joined))).toString();
    expect(joined.trimEnd().split('\n')).toHaveLength(21);
  });

  it('is told by its hashes: of the experiment as it ran, and of the ledger’s bytes', async () => {
    const content = contentOf(e5, 'waited');
    const folder = await writeFolder(content);
    const { hashes, citation } = await judgeRun(folder);
    const ledger = sha256(await readFile(join(folder, runFiles.ledger)));
    const { experiment } = content.run as ExperimentRun;
    expect(hashes.ledger).toBe(ledger);
    expect(hashes.experiment).toBe(sha256(JSON.stringify(JSON.parse(JSON.stringify(experiment)))));
    expect(citation).toContain(`sha256:${ledger.slice(0, 16)}`);
  });

  it('is judged the same again', async () => {
    const folder = await writeFolder(contentOf(e5, 'waited'));
    expect(await judgeRun(folder)).toEqual(await judgeRun(folder));
  });
});

describe('a run’s folder in which the outage was lost', () => {
  it('passes E1, with each drop explained by the proxy’s own log', async () => {
    const content = contentOf(e1, 'refused');
    const verdict = await judgeRun(await writeFolder(content));
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
        closedBy: { kind: 'accepting', atUs: 1_750_000, line: 11 },
      },
    ]);
    // The proxy’s only try of each was refused: surely not applied.
    const refused = writesRefused(content);
    expect(refused).toBeGreaterThan(20);
    expect(verdict.writes).toMatchObject({ acknowledged: 150 - refused, failed: refused, indeterminate: 0 });
  });

  it('leaves a refused write indeterminate where the proxy may have tried before', async () => {
    const content = contentOf(e3, 'refused');
    const verdict = await judgeRun(await writeFolder(content));
    expect(verdict.writes).toMatchObject({ failed: 0, indeterminate: writesRefused(content) });
  });

  it('leaves a write indeterminate whose connection was reset', async () => {
    const content = contentOf(e1, 'refused');
    content.proxyLog = content.ledger
      .filter(({ version }) => version === null)
      .map(({ doneUs }) => failedTryLine(doneUs - 200, 'EOF'));
    const verdict = await judgeRun(await writeFolder(content));
    expect(verdict.writes).toMatchObject({ failed: 0, indeterminate: writesRefused(content) });
  });

  it('fails E5 for the same rows', async () => {
    const content = contentOf(e5, 'refused');
    const verdict = await judgeRun(await writeFolder(content));
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
    const verdict = await judgeRun(await writeFolder(content));
    expect(verdict.reconciliation).toMatchObject({
      unexplained: 0,
      causes: { 'the proxy’s check held no backend to be up': 70 },
    });
    expect(verdict.proxyTries).toEqual({ answers: 0, retries: 0, failedTries: 0 });
    expect(verdict.writes).toMatchObject({ failed: writesRefused(content), indeterminate: 0 });
    // 0.99 s to 1.755 s, and twice the interval of 1 s: slots 99 to 299.
    expect(verdict.atRisk).toMatchObject({ due: 201, dropped: 70 });
  });
});

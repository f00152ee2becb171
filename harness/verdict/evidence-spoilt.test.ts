import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import e1 from '../../experiments/E1-no-drain.ts';
import e5 from '../../experiments/E5-socket-activation.ts';
import { runFiles } from '../run/run-folder.ts';
import { judgeRun } from './judge.ts';
import { verdictOfTest } from './testing.ts';
import {
  accessFieldsOf,
  calibration,
  change,
  contentOf,
  event,
  failedTryLine,
  idOf,
  originMonotonicUs,
  originWallUs,
  rowOf,
  siteLineOf,
  stampOf,
  writeFolder,
  type FolderContent,
} from './testing-folder.ts';
import type { Verdict } from './verdict.ts';

/** The verdict of the whole of E5, or of E1, spoilt in one way. */
async function judge(spoil: (content: FolderContent) => void, of: 'E5' | 'E1' = 'E5'): Promise<Verdict> {
  const content = of === 'E5' ? contentOf(e5, 'waited') : contentOf(e1, 'refused');
  spoil(content);
  return judgeRun(await writeFolder(content));
}

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
    ['the site’s log lacks a line', ({ site }) => void site?.splice(40, 1), "the site's log has no answer 201"],
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
      ({ notes }) => void notes.push({ id: idOf(998), times: 1, versions: 'v0', writtenUs: 1 }),
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
      'The container `client` ended during the run (die status 1; witnesses/engine.ndjson:4)',
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
        void (content.controls = {
          calibration,
          controls: [
            {
              role: 'C+',
              name: 'E5 own-port',
              because: 'it must drop something',
              verdict: verdictOfTest({ dropped: 0 }),
            },
          ],
        }),
      'Its control C+ (E5 own-port, 20261123T120000Z-abcd) dropped nothing of',
    ],
    [
      'the instrument was not calibrated',
      (content) =>
        void (content.controls = {
          calibration: { ...calibration, wrong: [{ case: 'rst, GET, kept', sentences: ['39 of 40'] }] },
          controls: [],
        }),
      'The instrument is not calibrated on this machine: 1 of 20 cases came out wrong (rst, GET, kept: 39 of 40)',
    ],
    [
      'the restarts are too few for what is claimed of them',
      (content) => {
        const { run } = content;
        if (run.kind === 'experiment') {
          run.experiment = {
            ...run.experiment,
            expect: { ...run.experiment.expect, claim: { cleanPercent: 99, because: 'so it was asked for' } },
          };
        }
      },
      'Too few restarts for the claim that 99 % of them are clean: 0 of 1 dropped something',
    ],
    [
      'the plan has no restarts',
      ({ run }) => {
        if (run.kind === 'experiment') run.deployBeginsMs = [];
      },
      "run.json's deployBeginsMs is not what its experiment and seed 1 give",
    ],
    [
      'the controls were taken out',
      (content) => void (content.controls = { calibration, controls: [] }),
      'witnesses/controls.json has the controls none',
    ],
    [
      'the direct probe was refused where the site answered',
      (content) =>
        void (content.direct =
          content.direct?.map((one) => (one.seq === 7 ? { ...one, outcome: 'refused', status: null } : one)) ?? null),
      'row 7 is refused, and the site read it (line 308 of the site',
    ],
    [
      'a process read requests after it had ended',
      (content) =>
        void (content.timeline = content.timeline.map((one) =>
          one.kind === 'exit' ? { ...one, atUs: 1_041_399 } : one,
        )),
      "The site's log has a request read at 1041.400 ms (line 105), after that process said that it ends",
    ],
    [
      'a process read requests before it accepted',
      (content) =>
        void (content.timeline = content.timeline.map((one) =>
          one.kind === 'accepting' ? { ...one, atUs: 1_755_600 } : one,
        )),
      "The site's log has a request read at 1751.400 ms (line 176), before that process said that it accepts",
    ],
    [
      'the proxy’s own log is of another run',
      ({ proxyLog }) => void proxyLog?.splice(0, 1, `${stampOf(-9e6)} {"version":"3.7.15"}`),
      'witnesses/traefik.log.gz begins at -9.000 s',
    ],
    [
      'the proxy was another',
      ({ proxyLog }) => void proxyLog?.splice(0, 1, `${stampOf(0)} {"version":"3.6.0"}`),
      "The fingerprint has Traefik 3.7.15, and the proxy's own log says 3.6.0",
    ],
    [
      'the queues lack their beginning',
      ({ queues }) => void queues?.shift(),
      "witnesses/queues.ndjson.gz has the first sample at 1.700 s of the site's port",
    ],
    [
      'a sample of the queues was emptied',
      (content) => void (content.queues = content.queues?.map((one) => ({ ...one, waiting: 0 })) ?? null),
      'witnesses/queues.ndjson.gz:2 goes back in time, or says again what its port had',
    ],
    [
      'the kernel accepted fewer connections than there were answers on new ones',
      (content) => {
        for (const seq of [7, 40, 41]) change(seq, { connection: 'new', connectedUs: seq * 10_000 + 200 })(content);
      },
      'witnesses/kernel.json counts 2 accepted connections (Tcp.PassiveOpens), and 3 requests were answered',
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

  it('when a kernel accepted fewer than were answered on connections of their own: those that were not do not count', async () => {
    const over = (seq: number) => ({ connection: 'new' as const, connectedUs: seq * 10_000 + 200 });
    const counted = async (third: (content: FolderContent) => void): Promise<boolean> => {
      const { reasons } = await judge((content) => {
        for (const seq of [7, 40]) change(seq, over(seq))(content);
        third(content);
      }, 'E1');
      return reasons.join('\n').includes('witnesses/kernel.json counts 2 accepted connections');
    };
    expect(await counted(() => undefined)).toBe(false);
    // Row 110 is a 502: an answer too.
    expect(await counted(change(110, over(110)))).toBe(true);
    expect(await counted(change(110, { ...over(110), outcome: 'reset', status: null }))).toBe(false);
  });

  it('when the end of the direct probe was taken out, in its own file and in the site’s log', async () => {
    const { verdict, reasons } = await judge((content) => {
      content.direct = content.direct?.slice(0, 55) ?? null;
      content.site = content.site?.filter(({ request }) => !/-direct-1-5[5-9]$/u.test(request ?? '')) ?? null;
    });
    expect(verdict).toBe('inconclusive');
    expect(reasons.join('\n')).toContain("its last row was due at 2.700 s, before the load's last");
  });

  it('when a drop was made ok, as far as its row alone can tell', async () => {
    const { verdict, reasons, dropped } = await judge((content) => {
      content.ledger = contentOf(e5, 'waited').ledger;
      content.notes = contentOf(e5, 'waited').notes;
    }, 'E1');
    expect([verdict, dropped]).toEqual(['inconclusive', 0]);
    expect(reasons.join('\n')).toContain('70 were answered otherwise');
    expect(reasons.join('\n')).toContain('70 of 300 rows do not agree');
    expect(reasons.join('\n')).toContain("200 here, 502 in the proxy's log (line 106)");
  });

  it('when a row asks for what the schedule does not have in its slot, or the seed is another', async () => {
    const { reasons } = await judge(change(7, { connection: 'new', connectedUs: 70_200 }));
    expect(reasons.join()).toContain('row 7: the schedule has POST /notes on a kept connection in its slot');
    const reseeded = await judge((content) => void (content.run = { ...content.run, seed: 2 }));
    expect(reseeded.reasons.join()).toContain('the schedule has ');
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

  it('when a write was written only after it had been acknowledged: the database’s stamp beside the site’s', async () => {
    const written = (afterDoneUs: number) => (content: FolderContent) => {
      const writtenUs = originMonotonicUs + rowOf(content, 7).doneUs + afterDoneUs;
      content.notes.splice(3, 1, { id: idOf(7), times: 1, versions: 'v0', writtenUs });
    };
    // The site's stamp of its answer is 300 µs before the client had it.
    expect(await judge(written(-300))).toMatchObject({ verdict: 'pass', writes: { early: 0 } });
    const verdict = await judge(written(-299));
    expect(verdict).toMatchObject({ verdict: 'fail', writes: { lost: 0, early: 1, examples: { early: [idOf(7)] } } });
    expect(verdict.reasons).toEqual([
      'Expected of writes acknowledged before they were written: at most 0; measured: 1.',
    ]);
  });

  it('when a write is in the database twice', async () => {
    const twice = { id: idOf(7), times: 2, versions: 'v0', writtenUs: 1 };
    const verdict = await judge(({ notes }) => void notes.splice(3, 1, twice));
    expect(verdict).toMatchObject({
      verdict: 'fail',
      writes: { lost: 0, duplicated: 1, examples: { duplicated: [idOf(7)] } },
    });
  });

  it('when a write that was refused is in the database', async () => {
    const refused = { id: idOf(107), times: 1, versions: 'v1', writtenUs: 1 };
    const verdict = await judge(({ notes }) => void notes.push(refused), 'E1');
    expect(verdict).toMatchObject({ verdict: 'fail', writes: { misattributed: 1, unexpected: 0 } });
  });

  it('when a version that was out of rotation answered', async () => {
    const verdict = await judge((content) => {
      // One that does not end.
      content.timeline = content.timeline.filter(({ kind }) => kind !== 'exit');
      change(200, { version: 'v0', instance: 'i0' })(content);
      content.access?.splice(200, 1, accessFieldsOf(rowOf(content, 200)));
      content.site?.splice(200, 1, siteLineOf(rowOf(content, 200)));
    });
    expect(verdict).toMatchObject({ verdict: 'fail', stale: 1 });
    expect(verdict.reasons).toEqual(['Expected of stale answers: at most 0; measured: 1.']);
  });

  it('when a process ended that nobody had told to: that is the site’s own failure', async () => {
    const verdict = await judge(({ timeline }) => void timeline.splice(11, 0, event('exit', 2_900_000)));
    expect(verdict).toMatchObject({ verdict: 'fail', headline: 'the site’s process ended by itself' });
    expect(verdict.reasons[0]).toBe(
      'Expected of ends of the site’s process that no deploy asked for: none; measured: exit (app) at 2.900 s ' +
        '(timeline.ndjson:12).',
    );
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
    expect(ended).toMatchObject({ verdict: 'fail', stalls: { outsideRestarts: 0 } });
    expect(ended.stalls.byPlace).toMatchObject({ 'in the site': 1 });
  });

  it('when SQLite refused a write', async () => {
    const verdict = await judge((content) => {
      change(40, { outcome: 'status-503', status: 503 })(content);
      content.access?.splice(40, 1, accessFieldsOf(rowOf(content, 40)));
      content.site?.splice(40, 1, siteLineOf(rowOf(content, 40), { store: { waitMs: 20_000, code: 'SQLITE_BUSY' } }));
      content.notes = content.notes.filter(({ id }) => id !== idOf(40));
    });
    expect(verdict).toMatchObject({ verdict: 'fail', dropped: 1, unexplained: 0 });
    expect(verdict.writes).toMatchObject({ failed: 1, busy: { refused: 1, longestRefusalMs: 20_000 } });
    expect(verdict.reconciliation.examples).toEqual({
      'the site itself answered 503 (SQLITE_BUSY)': { seq: 40, file: 'witnesses/site-requests.ndjson.gz', line: 41 },
    });
  });

  it('when the proxy had ended, but not while it still answered others', async () => {
    const without = (seq: number) => (content: FolderContent) => {
      change(seq, {
        outcome: 'refused',
        status: null,
        firstByteUs: null,
        version: null,
        instance: null,
        error: 'ECONNREFUSED, connect',
      })(content);
      content.access?.splice(seq, 1);
      content.site?.splice(seq, 1);
      const atWallUs = originWallUs + seq * 10_000 - 50_000;
      content.engine?.push({ atWallUs, action: 'die', role: 'edge', detail: 'status 137' });
    };
    const last = await judge(without(299));
    expect(last).toMatchObject({ verdict: 'inconclusive', dropped: 1, unexplained: 0 });
    expect(last.reconciliation.causes).toEqual({ 'the proxy’s container had ended': 1 });
    expect(await judge(without(40))).toMatchObject({ verdict: 'inconclusive', dropped: 1, unexplained: 1 });
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
    const folder = await writeFolder(contentOf(e5, 'waited'));
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
    const folder = await writeFolder(contentOf(e5, 'waited'));
    const path = join(folder, name);
    await truncate(path, (await readFile(path)).length - 5);
    await expect(judgeRun(folder)).rejects.toThrow(`${name.split('/').at(-1) ?? ''} cannot be read to its end`);
  });

  it('may be the controls’: then the verdict says that there were none', async () => {
    const verdict = await judgeRun(await writeFolder({ ...contentOf(e5, 'waited'), controls: null }));
    expect(verdict).toMatchObject({ verdict: 'pass', controls: null, calibration: null });
    expect(verdict.citation).toContain('[without controls: not for citing]');
  });

  it.each([
    ['of the direct probe', { direct: null }, 'witnesses/direct.ndjson.gz has 0 of about 60 requests'],
    [
      'of which half of the probe is gone',
      { direct: contentOf(e5, 'waited').direct?.slice(0, 30) ?? null },
      'has 30 of',
    ],
    ['of the engine', { engine: [] }, 'does not have the start of server, edge, client'],
    ['of the queues', { queues: [] }, 'witnesses/queues.ndjson.gz is empty'],
    ['of the kernel', { kernel: {} }, 'witnesses/kernel.json is empty'],
    ['of the proxy’s own log, or none,', { proxyLog: null }, 'witnesses/traefik.log.gz is empty'],
    ['of the proxy’s own log', { proxyLog: [] }, 'witnesses/traefik.log.gz is empty'],
  ])('%s that is empty makes the run inconclusive', async (_, over, sentence) => {
    const verdict = await judgeRun(await writeFolder({ ...contentOf(e5, 'waited'), ...over }));
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.reasons.join('\n')).toContain(sentence);
  });

  it.each([
    ['timeline.ndjson', (line: string) => line.replace('1050000', '1040000')],
    ['witnesses/deployer.ndjson', (line: string) => line.replace('1000990000', '1000980000')],
    ['witnesses/journal.ndjson', (line: string) => (line.includes('accept-stopped') ? '' : line)],
  ])('%s that was changed is no longer what the others give', async (name, spoil) => {
    const folder = await writeFolder(contentOf(e5, 'waited'));
    const lines = (await readFile(join(folder, name), 'utf8')).split('\n');
    await writeFile(join(folder, name), lines.map(spoil).join('\n'));
    const verdict = await judgeRun(folder);
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.reasons.join('\n')).toMatch(/timeline\.ndjson is not what .* give \(line \d+ differs\)/u);
  });

  it.each(['null', '7', '[', '{"a":"b"}'])('of counters that are none is an error: %s', async (content) => {
    const folder = await writeFolder(contentOf(e5, 'waited'));
    await writeFile(join(folder, runFiles.kernel), content);
    await expect(judgeRun(folder)).rejects.toThrow(/kernel\.json is not a record of counters/u);
  });

  it('of controls that are none is an error', async () => {
    const folder = await writeFolder(contentOf(e5, 'waited'));
    await writeFile(join(folder, runFiles.controls), '[{"role":"C0"}]');
    await expect(judgeRun(folder)).rejects.toThrow();
  });
});

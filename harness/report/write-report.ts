/** Writes a run's report and charts from the files of the run alone: the same files give the same bytes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLedgerRows } from '../run/read-ledger.ts';
import { baselinesSchema, type Baselines } from '../conduct/baseline.ts';
import { subjectOf } from '../run/run-record.ts';
import { plainJson } from '../run/plain-file.ts';
import { openRun, type OpenRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import { readTimeline } from '../run/read-timeline.ts';
import { restartWindows } from '../verdict/restart-windows.ts';
import { readVerdict } from '../verdict/read-run.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { shownLine } from '../base/foreign-text.ts';
import { Bins } from './charts/bins.ts';
import type { Picture } from './charts/chart.ts';
import { reportHtml } from './html.ts';
import { drawLatency, LatencyPoints } from './charts/latency-chart.ts';
import { reportMarkdown } from './markdown.ts';
import { drawOverview, drawRestart, restartSpan } from './charts/outcome-charts.ts';
import { classifyRow } from './charts/palette.ts';
import { slotCount } from '../experiment/load-schedule.ts';
import { askedMs } from '../run/site-requests.ts';

const binUs = 100_000;
/** A bar narrower than a pixel shows nothing more. */
const mostBars = 1_000;
/** Restarts that get a chart of their own: those that dropped something first. */
const mostRestartCharts = 8;

/** Writes report.md, report.html and charts/ into the run's folder, from what the folder holds. */
export async function writeReport(folder: string): Promise<void> {
  const open = await openRun(folder);
  const run = open.record;
  const subject = subjectOf(run);
  const verdict = await readVerdict(open);
  const timeline = await readTimeline(join(folder, runFiles.timeline));
  const windows = restartWindows(timeline);
  const drawn = chosenRestarts(verdict);
  const details = windows
    .filter(({ restart }) => drawn.includes(restart))
    .map((window) => {
      const { fromUs, toUs } = restartSpan(window);
      return { window, bins: new Bins(fromUs, toUs, binUs) };
    });
  const overview = new Bins(0, run.durationMs * 1000, overviewBinUs(run.durationMs));
  const latency = new LatencyPoints(slotCount(subject.ratePerSecond, run.durationMs), run.durationMs);
  for await (const rows of readLedgerRows(join(folder, runFiles.ledger))) {
    for (const row of rows) {
      const latencyMs = (row.doneUs - row.dueUs) / 1000;
      const name = classifyRow(row.outcome, latencyMs - askedMs(row.path));
      overview.add(row.dueUs, name);
      for (const { bins } of details) bins.add(row.dueUs, name);
      latency.add({ dueUs: row.dueUs, latencyMs, name });
    }
  }

  await mkdir(join(folder, runFiles.charts), { recursive: true });
  const drawnCharts = new Map<string, string>();
  const save = async (name: string, { png, svg }: Picture): Promise<string> => {
    drawnCharts.set(`${runFiles.charts}/${name}.svg`, svg.toString());
    await writeFile(join(folder, runFiles.charts, `${name}.png`), png);
    await writeFile(join(folder, runFiles.charts, `${name}.svg`), svg);
    return name;
  };
  const title = (what: string): string => shownLine(`${subject.id} ${subject.title} · ${what} · ${run.runId}`);
  const { durationMs } = run;
  const charts = {
    overview: await save('outcomes', drawOverview({ title: title('outcomes'), bins: overview, windows })),
    latency: await save('latency', drawLatency({ title: title('latency'), kept: latency, durationMs, windows })),
    restarts: [] as string[],
    restartsNotDrawn: windows.length - details.length,
  };
  for (const { window, bins } of details) {
    const picture = drawRestart({ title: title(`restart ${window.restart}`), bins, window, timeline });
    charts.restarts.push(await save(`restart-${String(window.restart).padStart(3, '0')}`, picture));
  }
  const text = reportMarkdown(run, verdict, charts, await readBaselines(open));
  await writeFile(join(folder, runFiles.report), text);
  await writeFile(join(folder, runFiles.page), reportHtml(text, drawnCharts));
}

/** A tenth of a second, or of a long run the next of 0.2, 0.5, 1, 2, 5 … s at which its bars can be told apart. */
function overviewBinUs(durationMs: number): number {
  let widthUs = binUs;
  for (let step = 0; (durationMs * 1000) / widthUs > mostBars; step++) widthUs *= step % 3 === 1 ? 2.5 : 2;
  return widthUs;
}

/** Only a run that was asked for a baseline has one. */
async function readBaselines(open: OpenRun): Promise<Baselines | null> {
  if (!open.has(runFiles.baseline)) return null;
  return await plainJson(join(open.path, runFiles.baseline), baselinesSchema, { what: 'record of baselines' });
}

function chosenRestarts({ perRestart }: Verdict): number[] {
  const bad = perRestart.filter(({ droppedInRestart }) => droppedInRestart > 0);
  const good = perRestart.filter(({ droppedInRestart }) => droppedInRestart === 0);
  return [...bad, ...good].slice(0, mostRestartCharts).map(({ restart }) => restart);
}

/** Writes a run's report and charts from the files of the run alone: the same files give the same bytes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shownLine } from '../base/foreign-text.ts';
import { capacitiesSchema, type Capacities } from '../run/capacity.ts';
import { slotCount } from '../experiment/load-schedule.ts';
import { siteIndexOf } from '../experiment/units.ts';
import { plainJson } from '../run/plain-file.ts';
import { readLedgerRows } from '../run/read-ledger.ts';
import { readTimeline, type TimelineEvent } from '../run/files/timeline.ts';
import { openRun, type OpenRun } from '../run/run-door.ts';
import { runFiles } from '../run/run-folder.ts';
import { subjectOf } from '../run/run-record.ts';
import { askedMs } from '../run/site-requests.ts';
import { isOfOwnService, siteNamesOf } from '../run/tables.ts';
import { readVerdict } from '../verdict/record/read-run.ts';
import type { RestartWindow } from '../verdict/restart-windows.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { windowsOf } from '../verdict/service/service-windows.ts';
import { Bins } from './charts/bins.ts';
import type { Picture } from './charts/chart.ts';
import { drawLatency, LatencyPoints } from './charts/latency-chart.ts';
import { drawOverview, drawRestart, restartSpan } from './charts/outcome-charts.ts';
import { classifyRow } from './charts/palette.ts';
import { reportHtml } from './html.ts';
import { reportMarkdown, restartChart } from './markdown.ts';

const binUs = 100_000;
/** A bar narrower than a pixel shows nothing more. */
const mostBars = 1_000;
const mostRestartCharts = 8;

/** Writes report.md, report.html and charts/ into the run's folder, from what the folder holds. */
export async function writeReport(folder: string): Promise<void> {
  const open = await openRun(folder);
  const verdict = await readVerdict(open);
  const pictures = await drawCharts(open, verdict);
  await mkdir(join(folder, runFiles.charts), { recursive: true });
  for (const [name, { png, svg }] of pictures) {
    await writeFile(join(folder, runFiles.charts, `${name}.png`), png);
    await writeFile(join(folder, runFiles.charts, `${name}.svg`), svg);
  }
  const svgs = new Map([...pictures].map(([name, { svg }]) => [name, svg.toString()]));
  const { report, page } = await reportTexts(open, verdict, svgs);
  await writeFile(join(folder, runFiles.report), report);
  await writeFile(join(folder, runFiles.page), page);
}

/** What report.md and report.html say, without a chart drawn: each is an empty drawing in the page. */
export async function reportWithoutCharts(open: OpenRun): Promise<{ report: string; page: string }> {
  const verdict = await readVerdict(open);
  const windows = windowsOf(open.record, await timelineIn(open), verdict);
  const restarts = drawnWindows(windows, verdict).map(({ restart }) => restartChart(restart));
  const svgs = new Map(['outcomes', 'latency', ...restarts].map((name) => [name, '<svg width="1" height="1"></svg>']));
  return await reportTexts(open, verdict, svgs);
}

async function reportTexts(
  open: OpenRun,
  verdict: Verdict,
  svgs: ReadonlyMap<string, string>,
): Promise<{ report: string; page: string }> {
  const restarts = verdict.perRestart.map(({ restart }) => restart);
  const drawn = restarts.filter((restart) => svgs.has(restartChart(restart)));
  const report = reportMarkdown(open.record, verdict, drawn, await readCapacities(open));
  const inPage = new Map([...svgs].map(([name, svg]) => [`${runFiles.charts}/${name}.svg`, svg]));
  return { report, page: reportHtml(report, inPage) };
}

/** Of several sites a restart is named by its site and deploy. */
function titleOfRestart({ restart, site, deploy }: RestartWindow, sites: number): string {
  return sites === 1 ? `restart ${restart}` : `restart ${restart}, ${site} in deploy ${deploy}`;
}

/** All charts of a run by their names: outcomes, latency, restart-001 … */
async function drawCharts(open: OpenRun, verdict: Verdict): Promise<Map<string, Picture>> {
  const { path, record } = open;
  const { durationMs, runId } = record;
  const subject = subjectOf(record);
  const title = (what: string): string => shownLine(`${subject.id} ${subject.title} · ${what} · ${runId}`);
  const timeline = await timelineIn(open);
  const sites = siteNamesOf(record);
  const isOwn = isOfOwnService(record);
  const windows = windowsOf(record, timeline, verdict);
  const details = drawnWindows(windows, verdict).map((window) => {
    const { fromUs, toUs } = restartSpan(window);
    return { window, bins: new Bins(fromUs, toUs, binUs) };
  });
  const overview = new Bins(0, durationMs * 1000, overviewBinUs(durationMs));
  const latency = new LatencyPoints(slotCount(subject.ratePerSecond, durationMs), durationMs);
  for await (const rows of isLost(open, runFiles.ledger) ? [] : readLedgerRows(join(path, runFiles.ledger))) {
    for (const { seq, outcome, path: asked, dueUs, doneUs } of rows) {
      const latencyMs = (doneUs - dueUs) / 1000;
      const name = classifyRow(outcome, isOwn ? latencyMs : latencyMs - askedMs(asked));
      overview.add(dueUs, name);
      const site = sites[siteIndexOf(seq, sites.length)];
      for (const { window, bins } of details) if (window.site === site) bins.add(dueUs, name);
      latency.add({ dueUs, latencyMs, name });
    }
  }
  return new Map([
    ['outcomes', drawOverview(title('outcomes'), overview, windows)],
    ['latency', drawLatency(title('latency'), latency, windows)],
    ...details.map(({ window, bins }): [string, Picture] => [
      restartChart(window.restart),
      drawRestart(title(titleOfRestart(window, sites.length)), bins, window, timeline),
    ]),
  ]);
}

async function timelineIn(open: OpenRun): Promise<TimelineEvent[]> {
  return isLost(open, runFiles.timeline) ? [] : await readTimeline(join(open.path, runFiles.timeline));
}

/** A run that was cut short may have lost any file: its report is made of those that there are. */
function isLost(open: OpenRun, name: string): boolean {
  return open.record.aborted !== null && !open.has(name);
}

/** A tenth of a second; in a long run the next of 0.2, 0.5, 1, 2, 5 … s at which its bars can be told apart. */
function overviewBinUs(durationMs: number): number {
  let widthUs = binUs;
  for (let step = 0; (durationMs * 1000) / widthUs > mostBars; step++) widthUs *= step % 3 === 1 ? 2.5 : 2;
  return widthUs;
}

/** Only a run that was asked for a capacity has one. */
async function readCapacities(open: OpenRun): Promise<Capacities | null> {
  if (!open.has(runFiles.capacity)) return null;
  return await plainJson(join(open.path, runFiles.capacity), capacitiesSchema, { what: 'record of capacities' });
}

/** Those that get a chart of their own: first those that dropped something. */
function drawnWindows(windows: readonly RestartWindow[], { perRestart }: Verdict): RestartWindow[] {
  const bad = perRestart.filter(({ droppedInRestart }) => droppedInRestart > 0);
  const good = perRestart.filter(({ droppedInRestart }) => droppedInRestart === 0);
  const chosen = [...bad, ...good].slice(0, mostRestartCharts).map(({ restart }) => restart);
  return windows.filter(({ restart }) => chosen.includes(restart));
}

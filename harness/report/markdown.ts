/** report.md: what was asked, what came of it, and how far it can be trusted. Pure. */
import { fencedText, markdownText, shownLine, wordedBy } from '../base/foreign-text.ts';
import type { Capacities } from '../run/capacity.ts';
import type { RunRecord } from '../run/run-record.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { paragraphs } from './format.ts';
import { askedSection } from './asked-section.ts';
import { causesSection } from './causes-section.ts';
import { countsSection, directSection, expectationsSection, restartsSection, writesSection } from './count-sections.ts';
import { glanceSection, headingSection, reasonsSection } from './first-page.ts';
import { requestsSection } from './requests-section.ts';
import { holdsSection } from './holds-section.ts';
import { serverLogSection } from './server-log-section.ts';
import { sitesSection } from './sites-section.ts';
import { capacitySection, repeatSection, trustSection, wordsSection } from './trust-sections.ts';
import { unitJournalSection } from './unit-journal-section.ts';

/**
 * The report's text. Every text of the files is worded for Markdown here, and those in blocks of their own as such.
 * @param drawn the restarts that have a chart of their own
 */
export function reportMarkdown(
  ofRun: RunRecord,
  ofVerdict: Verdict,
  drawn: readonly number[],
  ofCapacities: Capacities | null = null,
): string {
  const run = { ...wordedBy(ofRun, markdownText), command: fencedText(shownLine(ofRun.command)) };
  const verdict = { ...wordedBy(ofVerdict, markdownText), citation: fencedText(shownLine(ofVerdict.citation)) };
  const text = paragraphs(
    headingSection(run, verdict),
    reasonsSection(verdict),
    glanceSection(run, verdict),
    picture('outcomes', `Outcomes over the whole run${verdict.perSite === undefined ? '' : ', all sites together'}`),
    expectationsSection(verdict),
    askedSection(run),
    countsSection(verdict),
    sitesSection(verdict),
    requestsSection(verdict),
    restartsSection(run, verdict),
    holdsSection(verdict),
    causesSection(verdict),
    serverLogSection(verdict),
    unitJournalSection(verdict),
    writesSection(verdict),
    directSection(verdict),
    chartsSection(drawn, verdict),
    trustSection(run, verdict),
    capacitySection(wordedBy(ofCapacities, markdownText)),
    repeatSection(run),
    wordsSection(verdict),
  );
  return `${text}\n`;
}

/** File name of a restart's chart, within charts/ and without the ending: restart-001. */
export function restartChart(restart: number): string {
  return `restart-${String(restart).padStart(3, '0')}`;
}

function chartsSection(drawn: readonly number[], { perRestart }: Verdict): string {
  const captionOf = (restart: number): string => {
    const { site, deploy } = perRestart.find((one) => one.restart === restart) ?? {};
    return `Outcomes around restart ${restart}${site === undefined ? '' : ` (${site}, deploy ${deploy ?? '?'})`}`;
  };
  const notDrawn = perRestart.length - drawn.length;
  return paragraphs(
    '## Charts',
    picture('latency', 'Latency of every request over its due time'),
    ...drawn.map((restart) => picture(restartChart(restart), captionOf(restart))),
    notDrawn > 0 && `Restarts that are not drawn: ${notDrawn}.`,
  );
}

function picture(name: string, what: string): string {
  return `![${what}](charts/${name}.svg)`;
}

/** Every text of a run and its verdict may come from anybody: whatever it is, a report keeps its form. */
import { Marked, type Token } from 'marked';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../run/run-record.ts';
import { wordedBy } from '../base/foreign-text.ts';
import { serviceRecord } from '../verdict/testing.ts';
import type { Verdict } from '../verdict/record/verdict.ts';
import { reportHtml } from './html.ts';
import { reportMarkdown } from './markdown.ts';
import { sideBySideMarkdown } from './side-by-side.ts';
import { reportedRun } from './testing.ts';

const hostile = [
  'a\n\n# heading\n\n```\nblock\n```\n',
  '![x](https://a.b/c.png) [y](javascript:z) <img src=x onerror=y> <script>z</script>',
  '`a` ``b`` | c | \u{1b}[2J\u{202e}\u{d800} ::error::x ##[group]',
  '```\n::set-output name=x::y\n```',
];

const { run, verdict } = reportedRun();

/** Words that the code itself compares with stay; every other text, and names of free records, become hostile. */
const ours = /^[\w./:-]{0,24}$/u;
const spoiltBy = (text: string) => (own: string) => (ours.test(own) ? own : text);

const marked = new Marked({ gfm: true });
/** What a page is made of, block by block, with the number of a table's columns. */
function formOf(markdown: string): string[] {
  return marked
    .lexer(markdown)
    .filter(({ type }) => type !== 'space')
    .map(
      (token) =>
        `${token.type}${token.type === 'table' ? ` ${String((token as { header?: unknown[] }).header?.length)}` : ''}`,
    );
}

function kindsIn(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token) => [token.type, ...('tokens' in token ? kindsIn(token.tokens ?? []) : [])]);
}

describe.each(hostile)('with every text of its files hostile: %j', (text) => {
  it.each<[string, RunRecord]>([
    ['an experiment', run],
    ['a service', serviceRecord()],
  ])('a report of %s keeps its form', (_, record) => {
    const [ofRun, ofVerdict] = [wordedBy(record, spoiltBy(text)), wordedBy(verdict, spoiltBy(text))];
    const markdown = reportMarkdown(ofRun, ofVerdict, [1]);
    expect(formOf(markdown)).toEqual(formOf(reportMarkdown(record, verdict, [1])));
    expect(kindsIn(marked.lexer(markdown))).not.toContain('html');
    expect(kindsIn(marked.lexer(markdown))).not.toContain('link');
    expect(markdown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}]/u);
    const page = reportHtml(markdown, new Map());
    expect(page).not.toMatch(/<img|<script>z|javascript:z"/u);
    expect(page.match(/<script/gu)).toHaveLength(1);
  });

  it('so does the page of all experiments', () => {
    const page = (of: { run: RunRecord; verdict: Verdict }): string => {
      const made = { record: of.run, verdict: of.verdict, reportPath: 'a b/(c).md', asWritten: false, citable: false };
      const entry = { id: 'E5', title: of.run.command, question: '', run: made };
      return sideBySideMarkdown([entry], { chartPath: 'c.svg', glossaryPath: 'g.md' });
    };
    const spoilt = page({ run: wordedBy(run, spoiltBy(text)), verdict: wordedBy(verdict, spoiltBy(text)) });
    expect(formOf(spoilt)).toEqual(formOf(page({ run, verdict })));
    expect(spoilt).toContain('](a%20b/%28c%29.md)');
    // The report and the glossary.
    expect(kindsIn(marked.lexer(spoilt)).filter((kind) => kind === 'html')).toEqual([]);
  });
});

import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { window } from '../verdict/testing.ts';
import { Bins } from './charts/bins.ts';
import { reportHtml } from './html.ts';
import { inlineSvg } from './inline-svg.ts';
import { reportMarkdown } from './markdown.ts';
import { drawOverview } from './charts/outcome-charts.ts';
import { reportedRun } from './testing.ts';

const { run, verdict } = reportedRun();
const svg = drawOverview('outcomes', new Bins(0, 1e6, 1e5), [window]).svg;
const drawn = new Map(
  ['outcomes', 'latency', 'restart-001'].map((name) => [`charts/${name}.svg`, svg.toString()] as const),
);
const page = reportHtml(reportMarkdown(run, verdict, [1]), drawn);

describe('report.html', () => {
  it('is report.md, with the verdict marked and the line to cite in a block of its own', () => {
    expect(page).toContain('<title>E5 Socket activation: fail</title>');
    expect(page).toContain('E5 Socket activation <span class="verdict fail">fail</span></h1>');
    expect(page).toContain(`<code>${verdict.citation}</code></pre><button type="button">Copy</button>`);
    expect(page).toContain('<td>dropped requests</td>');
  });

  it('needs nothing beside it', () => {
    expect(page.match(/<svg /gu)).toHaveLength(3);
    // The names of namespaces are no addresses that anything is fetched from.
    const without = page.replaceAll(/xmlns(:xlink)?="[^"]*"/gu, '');
    expect(without).not.toMatch(/https?:\/\/|<img|<script src|url\((?!#)|@import/u);
    expect(page).toContain("default-src 'none'");
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/u.exec(page) ?? [];
    expect(() => new Script(script)).not.toThrow();
    expect(script).toContain("querySelectorAll('.copy button')");
    expect(page).toMatch(/<style>[^<]*--paper: #ffffff;/u);
  });

  it('is the same bytes when made again', () => {
    expect(reportHtml(reportMarkdown(run, verdict, [1]), drawn)).toBe(page);
  });

  it('has each id once, those within its charts too', () => {
    const ids = [...page.matchAll(/\bid="([^"]*)"/gu)].map(([, id]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    const used = [...page.matchAll(/url\(#([^)]*)\)/gu)].map(([, id]) => id);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('shows what a run holds and never runs it', () => {
    const hostile = 'A <script>alert(1)</script> and <img src=x onerror=alert(2)> and [a](javascript:alert(3))\n';
    const shown = reportHtml(`# x\n\n${hostile}\n<script>alert(4)</script>\n`, new Map());
    expect(shown).toContain('&lt;script&gt;alert(1)');
    expect(shown.match(/<script/gu)).toHaveLength(1);
    expect(shown).not.toMatch(/<img|javascript:/u);
  });

  it('shows of a picture that is no chart of the run its words alone', () => {
    expect(reportHtml('![some <words>](charts/gone.svg)', new Map())).toContain('<p>some &lt;words&gt;</p>');
  });

  it('draws paper and ink in the page’s colours, and data in their own', () => {
    const inline = inlineSvg(
      '<svg width="9" height="8"><path fill="white"/><path fill="#D55E00"/></svg>',
      'n',
      'a "b"',
    );
    expect(inline).toContain('viewBox="0 0 9 8" role="img" aria-label="a &quot;b&quot;"');
    expect(inline).toContain('fill="var(--paper)"');
    expect(inline).toContain('fill="#D55E00"');
  });
});

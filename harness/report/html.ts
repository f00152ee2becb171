/** report.html: report.md as one page that needs nothing beside it, with its charts drawn into it. Pure. */
// eslint-disable-next-line no-restricted-syntax -- The page's own frame, style and script; no file of a run.
import { readFileSync } from 'node:fs';
import { Marked, type Tokens } from 'marked';
import { markupText } from '../base/foreign-text.ts';
import { inlineSvg } from './inline-svg.ts';

const pageFrame = ownFile('page.html');
const pageStyle = ownFile('page.css');
const pageScript = ownFile('copy-buttons.js');

function ownFile(name: string): string {
  return readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');
}

/**
 * The page.
 * @param charts the SVG of each chart, by the path that the Markdown names
 */
export function reportHtml(markdown: string, charts: ReadonlyMap<string, string>): string {
  let title = 'Report';
  const drawings: string[] = [];
  const marked = new Marked({ gfm: true });
  marked.use({
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading): string {
        if (depth === 1) title = this.parser.parseInline(tokens, this.parser.textRenderer);
        const inner = this.parser.parseInline(tokens);
        return `<h${depth} id="${idOf(text)}">${depth === 1 ? marking(inner) : inner}</h${depth}>\n`;
      },
      image({ href, text }: Tokens.Image): string {
        const svg = charts.get(href);
        if (svg === undefined) return markupText(text);
        drawings.push(inlineSvg(svg, nameOf(href), text));
        return `<figure role="group" tabindex="0" aria-label="${markupText(text)}">${drawingMark}</figure>`;
      },
      code({ text }: Tokens.Code): string {
        return `<div class="copy"><pre tabindex="0"><code>${preText(text)}</code></pre><button type="button">Copy</button></div>\n`;
      },
      // A request's header, a URL or an error may hold anything; none of it is part of the page.
      html({ text }: Tokens.HTML | Tokens.Tag): string {
        return markupText(text);
      },
      link({ tokens }: Tokens.Link): string {
        return this.parser.parseInline(tokens);
      },
    },
  });
  const tables = /<table>[\s\S]*?<\/table>/gu;
  const body = marked
    .parse(markdown, { async: false })
    // A paragraph may not hold a figure.
    .replaceAll(/<p>(<figure[\s\S]*?<\/figure>)<\/p>/gu, '$1')
    .replaceAll(tables, (table) => `<div class="table" role="group" tabindex="0" aria-label="table">${table}</div>`);
  const parts: Record<string, string> = { title: markupText(title), style: pageStyle, main: body, script: pageScript };
  const [first = '', ...others] = pageFrame
    .replaceAll(/ *<!-- part: (\w+) -->/gu, (_, name: string) => `<${name}>${parts[name] ?? ''}</${name}>`)
    .split(drawingMark);
  return [first, ...others.flatMap((text, index) => [drawings[index] ?? '', text])].join('');
}

/** Where a drawing stands, put in last: those of a long run have ten megabytes. No text of a run can be a comment. */
const drawingMark = '<!-- drawing -->';

function preText(text: string): string {
  return text.split('\n').map(markupText).join('\n');
}

/** The verdict at the heading's end, in its colour. */
function marking(heading: string): string {
  return heading.replace(/: (pass|fail|inconclusive|aborted)$/u, ' <span class="verdict $1">$1</span>');
}

function idOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');
}

function nameOf(href: string): string {
  return href.replace(/^.*\//u, '').replace(/\.svg$/u, '');
}

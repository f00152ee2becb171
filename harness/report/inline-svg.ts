/** A chart as part of a page: it takes the page's colours, its width, and ids that no other chart of the page has. */
import { markupText } from '../base/foreign-text.ts';

/** Colours of paper, ink and plain answers, which follow the page's; those of the rest stay, and are told apart on both. */
const pageColours: readonly (readonly [RegExp, string])[] = [
  [/(fill|stroke)="(?:white|#fff(?:fff)?)"/giu, '$1="var(--paper)"'],
  [/(fill|stroke)="(?:black|#000(?:000)?|#111(?:111)?|#222(?:222)?|#444(?:444)?)"/giu, '$1="var(--ink)"'],
  [/(fill|stroke)="#666(?:666)?"/giu, '$1="var(--muted)"'],
  [/(fill|stroke)="#6b5b1f"/giu, '$1="var(--phase)"'],
  [/(fill|stroke)="#c9d9e6"/giu, '$1="var(--plain)"'],
];

/**
 * The SVG's text for a place within HTML.
 * @param name what its ids begin with
 * @param label what it shows, for those who do not see it
 */
export function inlineSvg(svg: string, name: string, label: string): string {
  const size = /<svg\b[^>]*\bwidth="(\d+)" height="(\d+)"/u.exec(svg);
  if (size === null) throw new Error(`the chart ${name} is no SVG with a size`);
  const own = svg
    .slice(svg.indexOf('<svg'))
    .replace(/<svg\b[^>]*>/u, '')
    .replaceAll(/\b(id="|url\(#|href="#)(c\d+)/gu, `$1${name}-$2`)
    .replaceAll(/>\s+</gu, '><')
    .trim();
  const coloured = pageColours.reduce((text, [colour, ours]) => text.replaceAll(colour, ours), own);
  const box = `viewBox="0 0 ${size[1] ?? ''} ${size[2] ?? ''}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img" aria-label="${markupText(label)}">${coloured}`;
}

/** A chart as part of a page: it takes the page's colours, its width, and ids that no other chart of the page has. */
import { markupText } from '../base/foreign-text.ts';

/** Colours of paper, ink and plain answers, which follow the page's; those of the rest stay, and are told apart on both. */
const pageColours: ReadonlyMap<string, string> = new Map([
  ...['white', '#fff', '#ffffff'].map((colour) => [colour, 'var(--paper)'] as const),
  ...['black', '#000', '#111', '#222', '#444'].map((colour) => [colour, 'var(--ink)'] as const),
  ...['#000000', '#111111', '#222222', '#444444'].map((colour) => [colour, 'var(--ink)'] as const),
  ...['#666', '#666666'].map((colour) => [colour, 'var(--muted)'] as const),
  ['#6b5b1f', 'var(--phase)'],
  ['#c9d9e6', 'var(--plain)'],
]);

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
  // In one pass: the chart of a long run has some megabytes.
  const coloured = own.replaceAll(/(fill|stroke)="([^"]*)"/gu, (attribute, name: string, colour: string) => {
    const ours = pageColours.get(colour.toLowerCase());
    return ours === undefined ? attribute : `${name}="${ours}"`;
  });
  const box = `viewBox="0 0 ${size[1] ?? ''} ${size[2] ?? ''}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img" aria-label="${markupText(label)}">${coloured}`;
}

/** Draws a chart.js configuration as PNG and as SVG; the same configuration gives the same bytes. */
import { createRequire } from 'node:module';
import { createCanvas, SvgExportFlag, type Canvas, type SvgCanvas } from '@napi-rs/canvas';
import { Chart, registerables, type ChartConfiguration } from 'chart.js';
import annotationPlugin from 'chartjs-plugin-annotation';
import { chartFont, registerFonts } from './fonts.ts';

/** Size of a chart in CSS pixels. */
export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** A picture in both formats. */
export interface Picture {
  readonly png: Buffer;
  readonly svg: Buffer;
}

/** An annotation as chartjs-plugin-annotation takes it; its own types do not resolve under NodeNext. */
export type Annotations = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** PNGs are drawn at twice their size, so that they stay sharp in a document. */
const pngScale = 2;
/** Whatever the language of the machine: numbers on the axes must not differ from one to the next. */
const locale = 'en-US';

interface Frame {
  readonly title: string;
  readonly annotations: Annotations;
  /** Do annotations end at the edge of the plotted area? */
  readonly clip?: boolean;
  /** Does the legend show each set's own mark, not a box? */
  readonly usePointStyle?: boolean;
}

/** Padding, title, legend and annotations, alike in all charts. */
export function frame({ title, annotations, clip = true, usePointStyle = false }: Frame) {
  const side = usePointStyle ? 10 : 12;
  return {
    layout: { padding: { left: 8, right: 16, top: 4, bottom: 4 } },
    plugins: {
      title: { display: true, text: title, font: { size: 14, weight: 600 }, color: '#111111' },
      legend: { position: 'bottom' as const, labels: { boxWidth: side, boxHeight: side, usePointStyle } },
      annotation: { clip, annotations },
    },
  };
}

/** Draws the chart. `configuration` makes a new one at each call, since chart.js writes into what it is given. */
export function drawChart(configuration: () => ChartConfiguration, size: ChartSize): Picture {
  registerFonts();
  return { png: drawPng(configuration(), size), svg: drawSvg(configuration(), size) };
}

type Renderer = import('chartjs-node-canvas').ChartJSNodeCanvas;
const renderers = new Map<string, Renderer>();

/**
 * A renderer of chartjs-node-canvas; none in the package for other projects, which leaves it out: it asks for a native
 * canvas that wants a compiler, and only a checkout can put the prebuilt one in that one's place.
 */
function makeRenderer({ width, height }: ChartSize): Renderer | undefined {
  try {
    const { ChartJSNodeCanvas } = createRequire(import.meta.url)(
      'chartjs-node-canvas',
    ) as typeof import('chartjs-node-canvas');
    return new ChartJSNodeCanvas({
      width,
      height,
      backgroundColour: 'white',
      // By name: imported here, it would belong to another copy of chart.js than this renderer's.
      plugins: { modern: ['chartjs-plugin-annotation'] },
      chartCallback: (chart) => {
        chart.defaults.font.family = chartFont;
      },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function drawPng(configuration: ChartConfiguration, size: ChartSize): Buffer {
  const key = `${size.width}x${size.height}`;
  const renderer = renderers.get(key) ?? makeRenderer(size);
  if (renderer !== undefined) {
    renderers.set(key, renderer);
    return renderer.renderToBufferSync(scaled(configuration, pngScale), 'image/png');
  }
  const canvas = createCanvas(size.width, size.height);
  return drawOn(canvas, scaled(configuration, pngScale), () => canvas.toBuffer('image/png'));
}

function drawSvg(configuration: ChartConfiguration, { width, height }: ChartSize): Buffer {
  // Text as paths: the reader's machine may not have the font either.
  const canvas = createCanvas(width, height, SvgExportFlag.ConvertTextToPaths);
  const svg = drawOn(canvas, scaled(configuration, 1), () => canvas.getContent().toString('utf8'));
  return Buffer.from(withOwnIds(withinPixels(svg)));
}

/** Draws on a canvas of our own, and takes the picture before chart.js clears it. */
function drawOn<T>(canvas: Canvas | SvgCanvas, configuration: ChartConfiguration, take: () => T): T {
  Chart.register(...registerables, annotationPlugin);
  Chart.defaults.font.family = chartFont;
  // chart.js expects an element of a page.
  Object.assign(canvas, { style: {} });
  const background = {
    id: 'white',
    beforeDraw: (chart: { width: number; height: number }) => {
      const context = canvas.getContext('2d');
      context.fillStyle = 'white';
      context.fillRect(0, 0, chart.width, chart.height);
    },
  };
  const chart = new Chart(canvas, { ...configuration, plugins: [...(configuration.plugins ?? []), background] });
  const taken = take();
  // chart.js would keep the chart, and all of its points, for ever.
  chart.destroy();
  return taken;
}

/** The same picture with more pixels: chart.js enlarges the canvas and draws by a transform. */
function scaled(configuration: ChartConfiguration, devicePixelRatio: number): ChartConfiguration {
  const options = { ...configuration.options, locale, animation: false as const, responsive: false, devicePixelRatio };
  return { ...configuration, options };
}

/** Outlines to a hundredth of a pixel: nobody sees more, and the file is half as long. */
function withinPixels(svg: string): string {
  return svg.replaceAll(/\bd="[^"]*"/gu, (outline) =>
    outline.replaceAll(/-?\d+\.\d{3,}/gu, (number) => String(Math.round(Number(number) * 100) / 100)),
  );
}

/** The canvas numbers clip paths on from picture to picture: counted anew, the same chart gives the same bytes. */
function withOwnIds(svg: string): string {
  const ids = new Map<string, string>();
  return svg.replaceAll(/\b(?:cl|gr|img)_[0-9a-f]+\b/gu, (id) => {
    const own = ids.get(id) ?? `c${ids.size}`;
    ids.set(id, own);
    return own;
  });
}

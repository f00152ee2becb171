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

/** PNGs are drawn at twice their size, so that they stay sharp in a document. */
const pngScale = 2;

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
  if (renderer === undefined)
    return drawOn(createCanvas(size.width, size.height), configuration, pngScale, (canvas) =>
      canvas.toBuffer('image/png'),
    );
  renderers.set(key, renderer);
  return renderer.renderToBufferSync(scaled(configuration, pngScale), 'image/png');
}

function drawSvg(configuration: ChartConfiguration, { width, height }: ChartSize): Buffer {
  // Text as paths: the reader's machine may not have the font either.
  const empty = createCanvas(width, height, SvgExportFlag.ConvertTextToPaths);
  const svg = drawOn(empty, configuration, 1, (canvas) => canvas.getContent().toString('utf8'));
  return Buffer.from(withOwnIds(withinPixels(svg)));
}

/** Draws on a canvas of our own, `scale` times its size, and gives what is taken of it. */
function drawOn<C extends Canvas | SvgCanvas, T>(
  canvas: C,
  configuration: ChartConfiguration,
  scale: number,
  take: (canvas: C) => T,
): T {
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
  const { options, plugins = [], ...rest } = scaled(configuration, scale);
  const chart = new Chart(canvas, {
    ...rest,
    ...(options !== undefined && { options }),
    plugins: [background, ...plugins],
  });
  const taken = take(canvas);
  // Which clears the canvas; chart.js would keep the chart, and all of its points, for ever.
  chart.destroy();
  return taken;
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

/** Whatever the language of the machine: numbers on the axes must not differ from one to the next. */
const locale = 'en-US';

/** The same picture with more pixels: chart.js enlarges the canvas and draws by a transform. */
function scaled(configuration: ChartConfiguration, scale: number): ChartConfiguration {
  return {
    ...configuration,
    options: { ...configuration.options, locale, animation: false, responsive: false, devicePixelRatio: scale },
  };
}

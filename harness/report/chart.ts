/** Draws a chart.js configuration as PNG and as SVG; the same configuration gives the same bytes. */
import { createCanvas, SvgExportFlag } from '@napi-rs/canvas';
import { Chart, registerables, type ChartConfiguration } from 'chart.js';
import annotationPlugin from 'chartjs-plugin-annotation';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
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

const renderers = new Map<string, ChartJSNodeCanvas>();

function drawPng(configuration: ChartConfiguration, { width, height }: ChartSize): Buffer {
  const key = `${width}x${height}`;
  let renderer = renderers.get(key);
  if (renderer === undefined) {
    renderer = new ChartJSNodeCanvas({
      width,
      height,
      backgroundColour: 'white',
      // By name: imported here, it would belong to another copy of chart.js than this renderer's.
      plugins: { modern: ['chartjs-plugin-annotation'] },
      chartCallback: (chart) => {
        chart.defaults.font.family = chartFont;
      },
    });
    renderers.set(key, renderer);
  }
  return renderer.renderToBufferSync(scaled(configuration, pngScale), 'image/png');
}

function drawSvg(configuration: ChartConfiguration, { width, height }: ChartSize): Buffer {
  Chart.register(...registerables, annotationPlugin);
  Chart.defaults.font.family = chartFont;
  // Text as paths: the reader's machine may not have the font either.
  const canvas = createCanvas(width, height, SvgExportFlag.ConvertTextToPaths);
  // chart.js expects an element of a page.
  Object.assign(canvas, { style: {} });
  const context = canvas.getContext('2d');
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  const options = { ...configuration.options, animation: false as const, responsive: false, devicePixelRatio: 1 };
  const chart = new Chart(canvas, { ...configuration, options });
  const svg = canvas.getContent().toString('utf8');
  chart.destroy();
  return Buffer.from(withOwnIds(svg));
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

/** The same picture with more pixels: chart.js enlarges the canvas and draws by a transform. */
function scaled(configuration: ChartConfiguration, scale: number): ChartConfiguration {
  return {
    ...configuration,
    options: { ...configuration.options, animation: false, responsive: false, devicePixelRatio: scale },
  };
}

/** Shading behind the data of a chart. */
import type { SKRSContext2D } from '@napi-rs/canvas';
import type { ChartConfiguration } from 'chart.js';
import { addRoundedRectPath, clipArea, unclipArea } from 'chart.js/helpers';

/** A stretch of the x axis that is shaded over the whole height. */
export interface Shade {
  readonly fromS: number;
  readonly toS: number;
  readonly colour: string;
}

const square = { topLeft: 0, topRight: 0, bottomLeft: 0, bottomRight: 0 };

/**
 * Draws the shades as chartjs-plugin-annotation draws its boxes, which for some thousand of them takes seconds and hundreds
 * of megabytes.
 */
export function shading(shades: readonly Shade[]): NonNullable<ChartConfiguration['plugins']>[number] {
  return {
    id: 'shading',
    beforeDatasetsDraw: ({ ctx, chartArea, scales: { x } }) => {
      if (x === undefined) return;
      const context = ctx as SKRSContext2D;
      const { top, bottom } = chartArea;
      clipArea(ctx, chartArea);
      for (const { fromS, toS, colour } of shades) {
        const [fromPx, toPx] = [x.getPixelForValue(fromS), x.getPixelForValue(toS)];
        // Within a state of its own the edges get the same bytes as those of the boxes.
        context.save();
        context.fillStyle = colour;
        context.beginPath();
        addRoundedRectPath(ctx, { x: fromPx, y: top, w: toPx - fromPx, h: bottom - top, radius: square });
        context.closePath();
        context.fill();
        context.restore();
      }
      unclipArea(ctx);
    },
  };
}

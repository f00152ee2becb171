/** What the harness needs of the machine that it runs on. */
import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { monotonicUs } from '../base/clock.ts';
import { isCheckout } from '../project.mjs';
import { chartFont, registerFonts } from '../report/charts/fonts.ts';
import { judgeRoom, ok, problem, warning, type Finding } from './finding.ts';

const reinstall = isCheckout
  ? 'Run `npm run setup` again; if that says all is there, remove node_modules first.'
  : 'Remove node_modules, and run `npm install` again.';
const pinnedSchema = z.object({ optionalDependencies: z.record(z.string(), z.string()) });
/** What some runs need: their ledgers, logs and charts. */
const runsMiB = { least: 50, ease: 1_024 } as const;

/** Checks Node, the charts' font, the clock, and the disk that runs are written to. */
export async function checkThisMachine(reportsFolder: string): Promise<Finding[]> {
  return [checkNode(), checkFont(), checkClock(), await checkDisk(reportsFolder)];
}

function checkNode(): Finding {
  const { node } = process.versions;
  const pinned = pinnedSchema.parse(JSON.parse(readFileSync(new URL('../node/package.json', import.meta.url), 'utf8')));
  const packages = Object.entries(pinned.optionalDependencies);
  const wanted = packages.find(([name]) => name.endsWith(`-${process.platform}-${process.arch}`))?.[1];
  if (wanted === undefined)
    return ok('node', `Node ${node}; none is pinned for ${process.platform} on ${process.arch}`);
  if (node === wanted) return ok('node', `Node ${node}, the one that is pinned`);
  // The package runs under the user's own where that is new enough.
  if (!isCheckout) return ok('node', `Node ${node}; ${wanted} is the one that the tests run under`);
  return warning('node', `Node ${node}, where ${wanted} is pinned`, 'Use `npm run …` after `npm run setup`.');
}

/** Draws with the font: charts have no text without it. */
function checkFont(): Finding {
  try {
    registerFonts();
    const context = createCanvas(200, 50).getContext('2d');
    context.font = `20px ${chartFont}`;
    const { width } = context.measureText('0 of 8 restarts');
    if (!(width > 50)) throw new Error(`text of it is ${width} px wide`);
    return ok('font', `${chartFont}, which the project brings, draws`);
  } catch (error) {
    return problem('font', `the charts have no font: ${messageOf(error)}`, reinstall);
  }
}

function checkClock(): Finding {
  const beganUs = monotonicUs();
  let now = beganUs;
  while (now === beganUs) now = monotonicUs();
  const stepUs = now - beganUs;
  if (stepUs <= 1_000) return ok('clock-here', 'monotonic, finer than a millisecond');
  return warning('clock-here', `steps of ${stepUs} µs`, '`measure` from this machine has no finer stamps than these.');
}

async function checkDisk(folder: string): Promise<Finding> {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  const { bavail, bsize } = await statfs(there);
  const freeMiB = Math.round((bavail * bsize) / 1024 ** 2);
  const says = `${freeMiB} MiB free for runs in ${folder}`;
  const fix = 'Make room, or name a folder on another disk with --out.';
  return judgeRoom('disk', says, { freeMiB, ...runsMiB }, fix);
}

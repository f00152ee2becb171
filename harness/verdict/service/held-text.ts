/** What became of held connections, in a sentence; for the report, and for the terminal. */
import { counted } from '../../base/counted.ts';
import { holdSteps, stepWords } from './hold-steps.ts';
import type { HoldEvidence } from './count-holds.ts';
import type { HoldsVerdict } from '../record/verdict.ts';

type Ends = Pick<HoldsVerdict, 'ended' | 'byEnding' | 'closeCodes' | 'byStep' | 'longestBackMs' | 'notBack'>;

/** Endings that a service makes, as a reader has them; the most polite first. */
const endingWords: Readonly<Record<string, string>> = {
  complete: 'answer complete',
  fin: 'closed (FIN)',
  rst: 'reset (RST)',
  cut: 'cut in the middle of a message',
};

/** How they ended: `180 close frame 1001, 20 cut in the middle of a message`. */
export function endingsText({ byEnding, closeCodes }: Ends): string {
  const codes = Object.entries(closeCodes).map(([code, many]) => `${many} close frame ${code}`);
  const named = Object.entries(endingWords).flatMap(([ending, words]) => {
    const many = byEnding[ending] ?? 0;
    return many === 0 ? [] : [`${many} ${words}`];
  });
  const others = Object.entries(byEnding)
    .filter(([ending]) => ending !== 'close-frame' && endingWords[ending] === undefined)
    .map(([ending, many]) => `${many} ${ending}`);
  return [...codes, ...named, ...others].join(', ');
}

/** In which steps of a deploy. */
export function stepsText({ byStep }: Ends): string {
  return holdSteps
    .flatMap((step) => {
      const many = byStep[step] ?? 0;
      return many === 0 ? [] : [`${many} ${stepWords[step]}`];
    })
    .join(', ');
}

/** The sentence. */
export function heldText(holds: HoldsVerdict): string {
  const { connections, kind, opened, ended, notBack, longestBackMs, perRestart } = holds;
  const what = `${counted(connections, 'held connection')} (${kind})`;
  if (opened === 0) return `None of ${what} was ever open.`;
  if (ended === 0) return `The service ended none of ${what}.`;
  const back = longestBackMs === null ? '' : ` Open again after ${longestBackMs.toFixed(0)} ms at most.`;
  const gone = notBack === 0 ? '' : ` ${notBack} not open again before the load ended.`;
  const when = perRestart.length === 0 ? '' : `; ${stepsText(holds)}`;
  return `The service ended one of ${what} ${counted(ended, 'time')}: ${endingsText(holds)}${when}.${back}${gone}`;
}

/** What a connection hides that nobody has ended: whoever vanishes without a word sends neither FIN nor RST. */
export function silentText({ connections, leastUs }: HoldEvidence['silent']): string {
  return (
    `${counted(connections, 'held connection')} got no message in the last ${((leastUs ?? 0) / 1e6).toFixed(1)} s or more of the ` +
    'load, and had them at least ten times as often before; nobody ended them. Whether they are still served is not known.'
  );
}

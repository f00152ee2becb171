/** What a reader takes away first: the verdict in a few words, before any figure. */
import type { Verdict } from './record/verdict.ts';

/** What the words are made of. */
export interface Headlined extends Verdict {
  readonly doubts: readonly { readonly kind: DoubtKind }[];
  /** null where no command was to change anything, or nobody looked. */
  readonly hasChanged: boolean | null;
  /** The restarts in which nothing was seen to change. */
  readonly unchangedRestarts: readonly number[];
}

/** A silence as long as this is told even of a run that passes. */
const noteworthySilenceMs = 1_000;

const doubted = {
  nothing: 'nothing was measured',
  'ill-before': 'ill before the deploy',
  deploy: 'the deploy did not go as meant',
  unchanged: 'nothing was seen to change',
  machine: 'the load was not on time',
  instrument: 'the instrument cannot be trusted',
  control: 'a control failed, or says nothing',
  witness: 'the witnesses do not agree',
  engine: 'the engine or a container failed',
  claim: 'too few restarts for the claim',
  held: 'no connection was held',
} as const;

/** What a doubt is about. `machine`: the load was not on time, which no proven drop depends on. */
export type DoubtKind = keyof typeof doubted;

/** The words. */
export function headlineOf(of: Headlined): string {
  switch (of.verdict) {
    case 'pass':
      return passed(of);
    case 'fail':
      return failed(of);
    case 'inconclusive':
      return doubted[of.doubts[0]?.kind ?? 'witness'];
    case 'aborted':
      return 'cut short';
  }
}

function passed(of: Headlined): string {
  const { dropped, predicted, gapMs, schedule, hasChanged, unchangedRestarts, perRestart } = of;
  const isPredicted = dropped > 0 && predicted.dropped !== null && predicted.dropped > 0;
  const what =
    dropped === 0 ? 'nothing dropped' : isPredicted ? 'drops, as predicted' : `${dropped} dropped, as allowed`;
  const slotMs = 1000 / schedule.ratePerSecond;
  const silent =
    gapMs !== null && !isPredicted && gapMs >= Math.max(noteworthySilenceMs, 3 * slotMs)
      ? `, though nobody was answered for ${(gapMs / 1000).toFixed(1)} s`
      : '';
  const where = perRestart.length > 1 ? ` in ${unchangedRestarts.length} of ${perRestart.length} restarts` : '';
  return `${what}${silent}${hasChanged === false ? `, but nothing of the service was seen to change${where}` : ''}`;
}

function failed({ dropped, due, expectations }: Headlined): string {
  const missed = expectations.filter(({ met }) => !met);
  const named = missed.find(({ inShort }) => inShort !== undefined);
  if (named?.inShort !== undefined) return named.inShort;
  if (missed.some(({ what }) => what === 'dropped requests')) {
    return dropped === 0 ? 'nothing dropped, though drops were expected' : `${dropped} of ${due} requests dropped`;
  }
  return `${missed[0]?.what ?? 'an expectation'}: ${missed[0]?.measured ?? 'missed'}`;
}

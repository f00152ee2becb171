/** `--hold` and what belongs to it, checked. */
import { HarnessError } from '../../base/errors.ts';
import { descriptorLimit } from '../../conduct/service/processes.ts';
import { holdKinds, mostHeld } from '../../experiment/hold.ts';
import type { MeasureOptions } from './measure-options.ts';
import { givenOption } from './option-words.ts';
import { optionError, wholeNumber } from './option-values.ts';
import { expand, shownPath, type Told } from '../../gate/files/secrets.ts';

const usage = (message: string): Error =>
  optionError(message, 'Such as --hold 200 --hold-kind sse --hold-path /events');

/** More connections than this to another machine are no trial any more. */
const mostUnowned = 100;
/** What a process has open besides connections: its own files, pipes and threads. */
const otherDescriptors = 64;

/**
 * What the options ask to hold, as it is written down and as it is sent; null where they ask for nothing.
 * @param path of --url, where there is no --hold-path
 * @throws {HarnessError} naming the option that is wrong
 */
export function holdOf(options: MeasureOptions, path: Told, environment: NodeJS.ProcessEnv) {
  const { hold, holdKind, holdPath, maxCut } = options;
  if (hold === undefined) {
    const stray = givenOption(options, ['holdKind', 'holdPath', 'maxCut']);
    if (stray !== undefined) throw usage(`${stray} is about --hold, which is missing.`);
    return null;
  }
  const kind = holdKinds.find((known) => known === holdKind);
  if (kind === undefined) {
    const given = holdKind === undefined ? 'is missing' : `is ${JSON.stringify(holdKind)}`;
    throw usage(`--hold-kind ${given}: it must be one of ${holdKinds.join(', ')}.`);
  }
  const asked = holdPath === undefined ? path : toldPath(holdPath, environment);
  const shown = {
    count: wholeNumber('--hold', hold, 1, mostHeld),
    kind,
    path: asked.shown,
    maxCut: maxCut === undefined ? null : wholeNumber('--max-cut', maxCut, 0, Number.MAX_SAFE_INTEGER),
  };
  return { shown, target: asked.sent };
}

function toldPath(text: string, environment: NodeJS.ProcessEnv): Told {
  const sent = expand('--hold-path', text, environment);
  if (!/^\/[\x21-\x22\x24-\x7e]*$/u.test(sent)) {
    throw usage('--hold-path must begin with / and be a path as it is sent, in plain letters without # or spaces.');
  }
  return { sent, shown: shownPath(text) };
}

/**
 * Holding connections to another machine may hurt, and this process must be able to open them.
 * @param host the other machine, in words; null where it is this one
 * @throws {HarnessError} when the user has to say more, or there are too few descriptors
 */
export async function refuseTooMany(
  { count }: { readonly count: number },
  { host, maxConnections, isOwn }: { host: string | null; maxConnections: number; isOwn: boolean },
): Promise<void> {
  if (host !== null && count > mostUnowned && !isOwn) {
    throw new HarnessError('service-not-yours', `${count} connections held to ${host}, which is not this machine.`);
  }
  const limit = await descriptorLimit();
  const needed = count + maxConnections + otherDescriptors;
  if (limit === null || needed <= limit) return;
  throw new HarnessError(
    'option-conflict',
    `--hold ${count} and --max-connections ${maxConnections} take ${needed} file descriptors, and a process may have ${limit} here.`,
    { hint: 'Lower --max-connections, or raise the hard limit (ulimit -Hn).' },
  );
}

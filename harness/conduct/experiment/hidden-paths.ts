/** Secrets in the paths of a load: the proxy's logs have each path as it was sent, and a run has it as it may be shown. Pure. */
import type { PlanMixEntry } from '../../in-lab/load/plan.ts';

/** Changes a line of the proxy's: each path with a secret in it becomes the one that stands in the ledger. */
export type Hide = (line: string) => string;

/** What hides the secrets in the paths of these requests; null where there is none. */
export function hiddenPaths(mix: readonly PlanMixEntry[]): Hide | null {
  const hidden = mix.flatMap(({ path, mixed }) => {
    const target = mixed?.target ?? [];
    const written = target.map((part, place) => (place % 2 === 0 ? part : `{${part}}`)).join('');
    return mixed === undefined || written === path ? [] : [{ sent: sentForm(target), path: inJson(path) }];
  });
  if (hidden.length === 0) return null;
  return (line) => hidden.reduce((text, { sent, path }) => text.replaceAll(sent, () => path), line);
}

function sentForm(target: readonly string[]): RegExp {
  const parts = target.map((part, place) => (place % 2 === 0 ? inPattern(inJson(part)) : String.raw`[\w-]*`));
  return new RegExp(parts.join(''), 'gu');
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Go writes some signs in JSON as their numbers. */
function inPattern(text: string): string {
  return text
    .replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`)
    .replaceAll(/[&<>]/gu, (sign) => String.raw`(?:${sign}|\\u00${sign.charCodeAt(0).toString(16)})`);
}

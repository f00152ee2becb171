/** Secrets in the paths of a service: the proxy's logs have each path as it was sent, and a run has it as it may be shown. Pure. */
import type { Template } from '../../in-lab/load/plan.ts';
import type { OwnApp } from '../run-request.ts';

/** Changes a line of the proxy's: each path with a secret in it becomes the one that stands in the ledger. */
export type Hide = (line: string) => string;

/** What hides the secrets in the paths at which this service is asked; null where there is none. */
export function hiddenPaths({ mix, service, shown }: Pick<OwnApp, 'mix' | 'service' | 'shown'>): Hide | null {
  const { live, ready } = service.health;
  const asked: { target: Template; path: string | undefined }[] = [
    ...mix.flatMap(({ path, mixed }) => (mixed === undefined ? [] : [{ target: mixed.target, path }])),
    ...(live === undefined ? [] : [{ target: [live], path: shown.health.live }]),
    ...(ready === undefined ? [] : [{ target: [ready], path: shown.health.ready }]),
  ];
  const hidden = asked.flatMap(({ target, path }) => {
    const written = target.map((part, place) => (place % 2 === 0 ? part : `{${part}}`)).join('');
    return path === undefined || written === path ? [] : [{ sent: sentForm(target), path: inJson(path) }];
  });
  if (hidden.length === 0) return null;
  return (line) => hidden.reduce((text, { sent, path }) => text.replaceAll(sent, () => path), line);
}

function sentForm(target: Template): RegExp {
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

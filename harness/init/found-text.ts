/** What `init` says on the terminal. Pure. */
import { shownLine } from '../base/foreign-text.ts';
import { defaultPort, nameOf, type NewFile } from './files.ts';
import type { Clue, Guess } from './guess.ts';
import type { GuessedRun } from './service-guess.ts';

/** Line by line what was guessed and from where, and what was not found. */
export function foundText({ services, start, deployScripts, github, gitlab, notes }: Guess, run: GuessedRun): string {
  const line = (what: string, value: string, clue: Clue | null, otherwise = ''): string => {
    const from = clue === null ? `not found${otherwise}` : shownLine(clue.from);
    return `  ${what.padEnd(6)}  ${value.padEnd(30)}  ${from}\n`;
  };
  const lines = services.flatMap((service) => [
    line('name', nameOf(service), service.name),
    line('port', service.port?.value ?? defaultPort, service.port, ': a guess'),
    line('path', service.path?.value ?? '/', service.path, ': no health path in the source'),
    line('deploy', service.deploy?.value ?? '-', service.deploy, ': no systemd unit, compose file or name for pm2'),
  ]);
  const systems = Object.entries({ GitHub: github, GitLab: gitlab }).filter(([, clue]) => clue !== null);
  const ci = {
    value: systems.map(([system]) => system).join(', '),
    from: systems.map(([, clue]) => clue?.from).join(', '),
  };
  return [
    ...lines,
    line('start', start?.value.split('\n').at(-1) ?? '-', start, ': yours to write in a CI file'),
    line('CI', ci.value || '-', ci.value === '' ? null : ci, ': no .github, remote at GitHub or .gitlab-ci.yml'),
    line(
      'lab',
      run.unit ?? run.start?.value ?? '-',
      run.unit === null ? run.start : run.kind,
      ': how it is run in the lab is yours to write',
    ),
    ...deployScripts.map((clue) => line('maybe', clue.value, clue)),
    ...notes.map((note) => `  ${shownLine(note)}\n`),
  ].join('');
}

/**
 * What to do next.
 * @param measure how it is called
 * @param budgets the file that was written; null when it was there
 */
export function nextText(measure: string, path: string, budgets: NewFile | null): string {
  const lines = (budgets?.text ?? '').split('\n');
  const open = lines.flatMap((line, index) => (/^ {6}while: "#/u.test(line) ? `${path}:${index + 1}` : []));
  const first = open.length > 0 ? `write the command that deploys into ${open.join(' and ')}` : `check ${path}`;
  return `next: ${first}, then\n  ${measure} --budgets ${path}\n`;
}

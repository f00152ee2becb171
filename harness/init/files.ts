/** What `init` writes: a budgets file for `measure`, and a file for the CI system. Pure. */
import { stringify } from 'yaml';
import { shownLine } from '../base/foreign-text.ts';
import type { Clue, Guess, GuessedService } from './guess.ts';

const budgetsName = 'restart-proof.yaml';
/** When none was found. */
export const defaultPort = '8080';

/** A file to be written. */
export interface NewFile {
  /** From the project's folder on. */
  readonly path: string;
  readonly text: string;
}

/** `measure` refuses it, since it is only a comment: nothing runs until somebody writes a command. */
const placeholder = '# Write the command that deploys; it must not return before the deploy has ended.';

/** A name that a budgets file may have. */
export function nameOf({ name }: GuessedService): string {
  const plain = name.value.replaceAll(/[^A-Za-z0-9@._-]+/gu, '-').replace(/^[^A-Za-z0-9]+/u, '');
  return plain.slice(0, 100) || 'service';
}

/** The address that is asked on this machine. */
function urlOf({ port, path }: GuessedService): string {
  const number = port?.value ?? defaultPort;
  if (number.startsWith('/')) return `unix:${number}:${path?.value ?? '/'}`;
  return `${/^8?443$/u.test(number) ? 'https' : 'http'}://127.0.0.1:${number}${path?.value ?? '/'}`;
}

/** The address as words for curl. */
function curled(url: string): string {
  return url.startsWith('unix:') ? url.replace(/^unix:(.*):/u, '--unix-socket $1 http://localhost') : `'${url}'`;
}

/** One line of text as a value. */
const yaml = (text: string): string => stringify(text, { lineWidth: 0 }).trimEnd();
const from = (clue: Clue | null): string => (clue === null ? 'a guess, since none was found' : shownLine(clue.from));

/** The budgets file: what was guessed and from where, and lines to take in as they are needed. */
export function budgetsFile({ services, deployScripts }: Guess): NewFile {
  const scripts = deployScripts.map(
    (clue) =>
      `\n      # Found, and not taken, since it may deploy elsewhere: ${shownLine(`${clue.value} (${clue.from})`)}.`,
  );
  const entries = services.map(
    (service, index) => `
  - name: ${yaml(nameOf(service))} # ${from(service.name)}
    measure:
      # Port: ${from(service.port)}. Path: ${from(service.path)}. A page that users open says more than a health check,
      # which may fail on purpose while the service drains.
      url: ${yaml(urlOf(service))}
      rate: 100 # requests a second
      # The deploy: ${service.deploy === null ? 'none was found. Such as ./deploy.sh, systemctl restart shop, pm2 reload shop' : from(service.deploy)}.
      # It runs where measure is called, and must not return before the deploy has ended.${scripts.join('')}
      while: ${yaml(service.deploy?.value ?? placeholder)}
      # 10 clean restarts show that at most 26 % of all are bad (95 % confidence), 59 that at most 5 % are.
      restarts: 10
      every: 5s${index === 0 ? suggestions(service) : ''}
    budgets:
      dropped: { max: 0, because: a deploy can be done without dropping a request }
      badRestarts: { max: 0, because: one lucky deploy proves nothing }
      longestWaitMs: { max: 1000, because: people reload a page that takes longer }
`,
  );
  const head = `# What \`measure\` asks of this service while it is deployed, and what a deploy may cost. Begun by restart-proof init, which
# guessed: check every line. All fields: ci.md and measure.md in node_modules/restart-proof/docs.
services:`;
  return { path: budgetsName, text: head + entries.join('') };
}

function suggestions({ unit }: GuessedService): string {
  return `
      # Take in what you need:
      # journal: ${yaml(unit ?? 'shop')} # the systemd unit, whose journal then names the cause of each drop
      # access-log: /var/log/nginx/access.log # what the log of a server or proxy says of each drop
      # header: ['Host: shop.example', 'Authorization: Bearer \${TOKEN}'] # \${…} is of the environment, and not written down
      # requests: [{ path: /, weight: 4 }, { path: /orders, method: POST, body: '{"id": "{id}"}' }] # the url then has no path
      # ca: test-ca.pem # https: accept this authority; \`insecure: true\` accepts any certificate
      # must-change: true # inconclusive if a restart changed nothing that can be seen
      # connections: new # or kept; both if left out`;
}

/** The files of the CI systems that the project uses. */
export function ciFiles({ github, gitlab, installed, start, services }: Guess): NewFile[] {
  const port = /\d+(?=\/)/u.exec(services.map(urlOf).join(' '))?.[0] ?? '';
  const lines = start?.value.split('\n') ?? ["echo 'Write here how the service is installed and started.'; exit 1"];
  // Once, and first: a second one would take away what was installed after it.
  const own = lines.filter((line) => /^npm (?:ci|install)$/u.test(line));
  const commands = [
    ...(start?.value.includes('$PORT') === true ? [`export PORT=${port}`] : []),
    ...lines.filter((line) => !own.includes(line)),
    ...services.map(
      (each) => `curl -fsSk -o /dev/null --retry 60 --retry-delay 1 --retry-all-errors ${curled(urlOf(each))}`,
    ),
  ];
  const setUp = installed === null ? [...own, 'npm install --no-save ./restart-proof-0.1.0.tgz'] : ['npm ci'];
  const measure = `npx restart-proof measure --budgets ${budgetsName} --junit junit.xml`;
  const head = `# A deploy under load, within the budgets of ${budgetsName}. Begun by restart-proof init.
# How the service starts: ${start === null ? 'not known, yours to write' : `guessed from ${from(start)}`}.`;
  const onGithub = installed === null ? [...own, ...commands] : commands;
  const run = `      - run: |\n${onGithub.map((line) => `          ${line}\n`).join('')}`;
  const workflow = `${head}${installed === null ? '\n# Put the owner and the commit of restart-proof that you reviewed for OWNER and REF.' : ''}
name: restart-proof
on: pull_request
permissions:
  contents: read
jobs:
  measure:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6
${
  installed === null
    ? `${run}      - uses: OWNER/restart-proof/docs/ci/measure@REF
        with:
          budgets: ${budgetsName}
`
    : `      - uses: actions/setup-node@v6
        with:
          node-version: 24
      - run: npm ci
${run}      - run: ${measure}
      - uses: actions/upload-artifact@v6
        if: \${{ !cancelled() }}
        with:
          name: restart-proof
          path: reports
`
}`;
  const job = `${head}
# Include it in .gitlab-ci.yml: include: [{ local: restart-proof.gitlab-ci.yml }]. The image needs Node and what the service
# needs; what Docker starts needs a runner with an engine.${installed === null ? ' `npm pack` in a checkout of restart-proof makes the tarball.' : ''}
restart-proof:
  stage: .post
  image: node:24-bookworm
  script:
${[...setUp, ...commands, measure].map((line) => `    - ${yaml(line)}\n`).join('')}  artifacts:
    when: always
    paths: [reports/]
    reports:
      junit: junit.xml
`;
  return [
    ...(github === null ? [] : [{ path: '.github/workflows/restart-proof.yml', text: workflow }]),
    ...(gitlab === null ? [] : [{ path: 'restart-proof.gitlab-ci.yml', text: job }]),
  ];
}

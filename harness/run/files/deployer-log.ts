/** witnesses/deployer.ndjson: what the deployer said while it ran. */
import { finite, integerFrom, oneOf, optional, recordIn, text, type Place, type RecordOf } from './fields.ts';
import { runFiles } from '../run-folder.ts';

const what = 'message of the deployer';
const about = 'What the deployer said: when each deploy began and ended, and what it did in between.';
const bareKinds = ['waiting', 'done'] as const;
const stampedKinds = [
  'deploy-begin',
  'deploy-end',
  'site-begin',
  'site-end',
  'task-begin',
  'task-end',
  'never-ready',
  'ready',
  'given-up',
  'retire',
  'proxy-file',
  'roll-back',
  'rested',
] as const;

const deployAbout = 'Which deploy it is about, from 1.';
const details = {
  site: optional(text('The site; left out where there is only one, or it is about all.')),
  task: optional(text('The task of the playbook.')),
  failure: optional(text('What systemctl or Ansible said, when it failed.')),
} as const;

/** Every line; one that is about a restart has all fields. */
export const deployerFile = {
  name: runFiles.deployer,
  what,
  about,
  fields: {
    kind: oneOf(
      [...bareKinds, ...stampedKinds],
      'site-begin, site-end: of several sites, or of a release, the restart of one. task-begin, task-end: a task of the ' +
        'playbook. retire: the old version is out of rotation from here on. proxy-file: the proxy’s file names the new unit. ' +
        'ready: a service of the user’s own answers again. given-up: the new version was not ready in time, and the old one goes on. ' +
        'roll-back: a release that cannot start is taken back. rested: the version is ready (or never will be), and what ' +
        'had queued has had time to be worked off.',
    ),
    restart: optional(integerFrom(1, deployAbout)),
    version: optional(text('The version that the deploy brings.')),
    atMonotonicUs: optional(finite('When, CLOCK_MONOTONIC, µs.')),
    ...details,
  },
} as const;

const stampedMessage = {
  name: runFiles.deployer,
  what,
  about,
  fields: {
    kind: oneOf(stampedKinds, 'What was done.'),
    restart: integerFrom(1, deployAbout),
    version: text('The version that the deploy brings.'),
    atMonotonicUs: finite('When, CLOCK_MONOTONIC, µs.'),
    ...details,
  },
} as const;

/** A line of the deployer's output. */
export type DeployerMessage =
  { readonly kind: (typeof bareKinds)[number] } | RecordOf<(typeof stampedMessage)['fields']>;

/**
 * A line of the file.
 * @throws {HarnessError} naming file and line, when it is no message
 */
export function deployerMessageIn(line: string, place: Place): DeployerMessage {
  const message = recordIn(deployerFile, line, place);
  return isBare(message.kind) ? { kind: message.kind } : recordIn(stampedMessage, line, place);
}

function isBare(kind: string): kind is (typeof bareKinds)[number] {
  return bareKinds.some((bare) => bare === kind);
}

/** Waits until a lab is ready, or says what is missing, and what the server said last. */
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { HarnessError, messageOf } from '../base/errors.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { proxiedQuestionOf, readyQuestionOf } from '../experiment/ready-question.ts';
import { publicPorts, sitesOf } from '../experiment/units.ts';
import type { Readiness, ReadinessQuestion } from '../in-lab/deploy/readiness-question.ts';
import { containerLog } from './engine/container-log.ts';
import { exec } from './engine/exec.ts';

const readyDeadlineMs = 30_000;
const journalLines = 15;
const proxyLines = 5;

interface Asked {
  readonly server: Docker.Container;
  /** null where the proxy is none, or is a unit of the server. */
  readonly edge: Docker.Container | null;
}

/** @throws {HarnessError} (exit code 4) saying what was missing, with the last lines of the journal */
export async function untilLabReady(asked: Asked, experiment: Experiment, signal: AbortSignal): Promise<void> {
  const { server } = asked;
  const program = '/opt/harness/in-lab/deploy/readiness.ts';
  const result = await exec(server, ['node', program, JSON.stringify(questionOf(experiment))]);
  signal.throwIfAborted();
  const missing = result.exitCode === 0 ? (JSON.parse(result.stdout) as Readiness).missing : [result.stderr.trim()];
  if (missing.length === 0) return;
  const isOwn = experiment.service !== undefined;
  const words = await (isOwn ? wordsOfService(server, experiment) : wordsOfLab(asked)).catch(
    (error: unknown) => `(no journal: ${messageOf(error)})`,
  );
  throw new HarnessError(
    'lab-not-ready',
    `The lab was not ready: ${missing.join('; ')}.\n${words}`,
    isOwn
      ? { hint: 'See that it starts by itself, and where the service.yaml says: address, health paths, files.' }
      : {},
  );
}

function questionOf(experiment: Experiment): ReadinessQuestion {
  const hasIdle = publicPorts(experiment) === 2 && experiment.proxy.cutover === 'check';
  const sites = sitesOf(experiment);
  return {
    deadlineMs: readyDeadlineMs,
    // The demo site's own unit never fails for good.
    units: experiment.service === undefined ? [] : [sites[0].colours[0].service],
    sites: sites.map(({ hostHeader, colours: [first, idle] }) => ({
      ready: readyQuestionOf(experiment, first),
      proxied: experiment.proxy.kind === 'none' ? null : { host: hostHeader, ...proxiedQuestionOf(experiment) },
      downService: idle !== undefined && hasIdle ? `${idle.proxyService}@file` : null,
    })),
  };
}

async function wordsOfLab({ server, edge }: Asked): Promise<string> {
  const [journal, proxy] = await Promise.all([
    lastOfJournal(server),
    edge === null ? [] : Readable.from(containerLog(edge)).toArray(),
  ]);
  return `Last lines of its journal:\n${`${journal}${proxy.slice(-proxyLines).join('\n')}`.trim()}`;
}

/** What a service of the user's own said last, and where it listens: most often it is another port. */
async function wordsOfService(server: Docker.Container, experiment: Experiment): Promise<string> {
  const [{ service, socket }] = sitesOf(experiment)[0].colours;
  const [journal, sockets] = await Promise.all([
    lastOfJournal(server, '-u', service, '-u', socket),
    exec(server, ['ss', '--listening', '--tcp', '--numeric', '--no-header']),
  ]);
  const open = sockets.stdout.split('\n').flatMap((line) => line.trim().split(/\s+/u)[3] ?? []);
  // The proxy's own ports are no news.
  const others = open.filter((address) => !/:(80|8099)$/u.test(address));
  const listens =
    others.length === 0 ? 'Nobody listens at any other port.' : `Somebody listens at ${others.join(', ')}.`;
  return `${listens} Last lines of ${service}:\n${journal.trim()}`;
}

async function lastOfJournal(server: Docker.Container, ...units: readonly string[]): Promise<string> {
  const words = ['--no-pager', '-n', String(journalLines), '-o', 'short-monotonic', ...units];
  const { stdout, stderr } = await exec(server, ['journalctl', ...words]);
  return `${stdout}${stderr}`;
}

/** Every service of docs/examples in the lab: what its README says that a restart costs. */
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { connectEngine, runLabel } from '../lab/engine/engine.ts';
import { cli, runInLab } from './testing.ts';
import { buildExample, exampleFile, runExample, seenOutcomes } from './testing-own-service.ts';

const out = testFolder();
/** Traefik answers 500 where it sees that a connection is closed before it has written. */
const ofLostConnections = ['ok', 'status-500', 'status-502'];

beforeAll(async () => {
  await connectEngine();
  await Promise.all(['go', 'go-socket', 'express'].map(buildExample));
});

describe('the port is the service’s own', () => {
  it.each(['go', 'go-socket', 'gunicorn', 'uvicorn', 'express', 'postgres'])(
    'E1 with %s loses what comes while nobody accepts, as many as its outage windows say',
    async (name) => {
      const verdict = await runExample(out, name, 'E1', '--restarts', '4');
      expect(verdict).toMatchObject({ restarts: 4, badRestarts: 4 });
      expect(verdict.dropped).toBeGreaterThan(0);
      expect(ofLostConnections).toEqual(expect.arrayContaining(seenOutcomes(verdict)));
    },
  );

  it('E2 with go: the check of its readiness makes an outage of 503 of the drain', async () => {
    const verdict = await runExample(out, 'go', 'E2', '--restarts', '1');
    // 5 s of grace, less up to 1 s until the check sees it.
    expect(verdict.outcomes['status-503']).toBeGreaterThan(200 * 4);
  });

  it('E6 with go: the other colour serves before this one leaves', async () => {
    const verdict = await runExample(out, 'go', 'E6', '--restarts', '2');
    expect(verdict.predicted.dropped).toBe(0);
    expect(verdict.dropped).toBeLessThan(5);
  });
});

describe('systemd has the port', () => {
  it.each(['go-socket', 'gunicorn'])('E5 with %s loses nothing', async (name) => {
    const verdict = await runExample(out, name, 'E5', '--restarts', '4');
    expect(verdict).toMatchObject({ dropped: 0, restarts: 4, badRestarts: 0 });
  });

  it('E5 with uvicorn loses requests on the idle connections that it closes, and no GET, which is sent again', async () => {
    const { verdict, exitCode } = await runInLab(out, 'E5', '--app', exampleFile('uvicorn'), '--restarts', '8');
    expect(exitCode).toBe(1);
    expect(verdict.badRestarts).toBeGreaterThan(0);
    expect(ofLostConnections).toEqual(expect.arrayContaining(seenOutcomes(verdict)));
    expect(verdict.byMethod['GET']?.dropped).toBe(0);
    expect(verdict.writes).toMatchObject({ lost: 0, duplicated: 0 });
  });
});

describe('what a service cannot do', () => {
  it.each([
    ['E5', 'express', 'it does not take the socket (LISTEN_FDS)'],
    ['E5', 'go', 'it does not take the socket (LISTEN_FDS)'],
    ['E6', 'gunicorn', 'it is not told its port'],
  ])('%s with %s is refused before anything boots', async (id, name, sentence) => {
    const { stderr, exitCode } = await cli('experiment', id, '--app', exampleFile(name), '--out', out);
    expect(stderr).toContain(sentence);
    expect(exitCode).toBe(2);
  });
});

it('leaves no container, that of PostgreSQL neither', async () => {
  const { docker } = await connectEngine();
  expect(await docker.listContainers({ all: true, filters: { label: [runLabel] } })).toEqual([]);
});

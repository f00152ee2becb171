/** `doctor --app` and each planted fault, on the real lab. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { cli } from '../../cli/testing.ts';
import { faultyService, standing, type DoctorJson, type Fault } from './testing-faulty.ts';

const folder = testFolder();

/** What each fault of the planted service is called. */
const names: Record<Fault, string | null> = {
  none: null,
  'ignores-sigterm': 'ignores SIGTERM',
  'ready-while-warming': 'ready at once though warming',
  'ready-always': 'ready always 200',
  'cuts-in-flight': 'exits before answering in-flight requests',
  'binds-anyway': 'binds the port although it got fd 3',
  'shortens-queue': 'shortens the queue of the socket',
  'drains-for-ever': 'drains for ever',
  'crashes-on-second-sigterm': 'crashes on the second SIGTERM',
  'closes-idle': 'closes idle connections at once',
  'loses-writes': 'loses acknowledged writes',
  'other-port': 'does not serve where it was told',
  'no-live': 'live does not answer',
  wrapped: 'LISTEN_PID broken by a shell wrapper',
};

describe('doctor --app', () => {
  it.each(Object.entries(names) as [Fault, string | null][])(
    '%s is found by its name, and nothing else is blamed',
    async (fault, name) => {
      const { stdout, stderr } = await cli('doctor', '--app', await faultyService(folder, fault), '--json');
      if (stdout === '') throw new Error(stderr);
      const { checks } = JSON.parse(stdout) as DoctorJson;
      expect(checks.flatMap((check) => check.fault ?? [])).toEqual(name === null ? [] : [name]);
      expect(await standing()).toEqual([]);
    },
  );

  it('refuses a wrong service.yaml with its line, and starts nothing', async () => {
    const path = join(folder, 'wrong.yaml');
    await writeFile(path, 'name: shop\nstart: /bin/true\nlisten: itself\nrequests: [{ path: / }]\n');
    const { stdout, stderr, exitCode } = await cli('doctor', '--app', path);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/wrong\.yaml:3:1: /u);
  });

  it('leaves nothing when it is interrupted in the middle', async () => {
    const running = cli('doctor', '--app', await faultyService(folder, 'none'));
    let said = '';
    running.stderr.on('data', (part: Buffer) => {
      said += part.toString('utf8');
      if (said.includes('stops it')) running.kill('SIGINT');
    });
    expect((await running).exitCode, said).toBe(130);
    expect(await standing()).toEqual([]);
  });
});

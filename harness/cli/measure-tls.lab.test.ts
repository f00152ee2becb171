/** `measure` over https as a user calls it, against a server whose authority is the tests' own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { testFolder } from '../base/testing-folder.ts';
import { makeCertificates } from '../in-lab/connection/testing-tls.ts';
import { readLedger } from '../run/read-ledger.ts';
import { runFiles } from '../run/run-folder.ts';
import { verdictSchema, type Verdict } from '../verdict/record/verdict.ts';

const cliPath = fileURLToPath(new URL('../cli.ts', import.meta.url));
const folder = testFolder();
const file = (name: string): string => join(folder, name);
const children: ChildProcess[] = [];
let key = '';
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Answers clients that show a certificate of the tests' authority, unless it is told to ask for none. */
const serverScript = file('server.mjs');
writeFileSync(
  serverScript,
  `import { createServer } from 'node:https';
   import { readFileSync, writeFileSync } from 'node:fs';
   const read = (name) => readFileSync(${JSON.stringify(`${folder}/`)} + name);
   const asks = process.argv[2] === 'asks';
   const settings = { cert: read('valid.pem'), key: read('valid.key'), ca: read('ca.pem'), requestCert: asks };
   const server = createServer({ ...settings, rejectUnauthorized: asks }, (_, response) => response.end('ok'));
   server.listen(0, '127.0.0.1', () => writeFileSync(process.argv[3], String(server.address().port)));`,
);

async function start(kind: 'asks' | 'asks-none'): Promise<string> {
  const portFile = file(`${kind}.port`);
  children.push(spawn(process.execPath, [serverScript, kind, portFile]));
  await vi.waitFor(() => expect(readFileSync(portFile, 'utf8')).toMatch(/^\d+$/u), 10_000);
  return `https://127.0.0.1:${readFileSync(portFile, 'utf8')}/`;
}

async function measured(...words: string[]): Promise<{ verdict: Verdict; exitCode: number | undefined; run: string }> {
  const asked = ['measure', '--json', '--out', folder, ...words];
  const { stdout, exitCode } = await execa(process.execPath, [cliPath, ...asked], { reject: false });
  const verdict = verdictSchema.parse(JSON.parse(stdout));
  return { verdict, exitCode, run: join(folder, 'measure', verdict.runId) };
}

describe('measure over https', () => {
  let plain: string;
  let asking: string;
  beforeAll(async () => {
    const { ca, valid, client } = makeCertificates();
    key = client.key;
    const files = { 'ca.pem': ca, 'valid.pem': valid.cert, 'valid.key': valid.key, 'client.pem': client.cert };
    for (const [name, text] of Object.entries({ ...files, 'client.key': key })) writeFileSync(file(name), text);
    [plain, asking] = await Promise.all([start('asks-none'), start('asks')]);
  });

  it('does not run the command where the certificate is not accepted, and says how to go on', async () => {
    const marker = file('deployed');
    const { verdict, exitCode } = await measured('--url', plain, '--while', `touch ${marker}`);
    expect(exitCode).toBe(3);
    expect(verdict.reasons[0]).toMatch(
      /no TLS with 127\.0\.0\.1 .*: certificate of an unknown authority; --ca FILE accepts .*--insecure accepts/u,
    );
    expect(existsSync(marker)).toBe(false);
  });

  it('says without a command, too, why nothing was answered', async () => {
    const { verdict, exitCode } = await measured('--url', plain, '--duration', '500ms');
    expect(exitCode).toBe(1);
    expect(verdict.failureKinds).toEqual({ 'certificate not accepted': 50 });
    expect(verdict.notes[0]).toContain('50 requests failed in the TLS handshake');
    expect(verdict.citation).toContain('50 certificate not accepted');
  });

  it('tells a server that asks for a certificate, and writes down no key that is shown to it', async () => {
    const without = await measured('--url', asking, '--ca', file('ca.pem'), '--while', 'true');
    expect(without.verdict.reasons[0]).toMatch(/alert certificate_required.*--cert FILE --key FILE/u);
    const words = ['--ca', file('ca.pem'), '--cert', file('client.pem'), '--key', file('client.key')];
    const { verdict, run } = await measured('--url', asking, ...words, '--duration', '1s');
    expect(verdict.outcomes).toEqual({ ok: 100 });
    for await (const { connectedUs, securedUs } of readLedger(join(run, runFiles.ledger))) {
      expect(securedUs !== undefined).toBe(connectedUs !== null);
    }
    const [, secret = ''] = key.split('\n');
    const { stdout: found } = await execa('grep', ['-rlz', '--', secret, run], { reject: false });
    expect(found).toBe('');
  });

  it('says in the line to cite that no certificate was checked', async () => {
    const { verdict } = await measured('--url', plain, '--insecure', '--duration', '500ms');
    expect(verdict.outcomes).toEqual({ ok: 50 });
    expect(verdict.citation).toContain('certificate not checked');
    expect(verdict.notes[0]).toContain('--insecure');
    const { verdict: checked } = await measured('--url', plain, '--ca', file('ca.pem'), '--duration', '500ms');
    expect(checked.citation).not.toContain('certificate not checked');
    expect(checked.notes).toEqual([]);
  });

  it('takes the capacity over https where no certificate is to be checked', async () => {
    const words = ['--url', plain, '--insecure', '--capacity', '--duration', '500ms'];
    const { run } = await measured(...words);
    const { before } = JSON.parse(readFileSync(join(run, runFiles.capacity), 'utf8')) as {
      before: { requestsPerSecond: number };
    };
    expect(before.requestsPerSecond).toBeGreaterThan(0);
  });
});

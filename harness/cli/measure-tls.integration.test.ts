/** `measure` over https as a user calls it, against a server whose authority is the tests' own. */
import { existsSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { certificates } from '../in-lab/connection/testing-tls.ts';
import { readLedger } from '../run/read-ledger.ts';
import { runFiles } from '../run/run-folder.ts';
import { measuring } from './testing-measure.ts';

const { at, folder, measured, serve } = measuring();

/** Answers clients that show a certificate of the tests' authority, unless it is told to ask for none. */
const script = `import { createServer } from 'node:https';
   import { readFileSync } from 'node:fs';
   const read = (name) => readFileSync(${JSON.stringify(`${folder}/`)} + name);
   const asks = process.argv[2] === 'asks';
   const settings = { cert: read('valid.pem'), key: read('valid.key'), ca: read('ca.pem'), requestCert: asks };
   const server = createServer({ ...settings, rejectUnauthorized: asks }, (_, response) => response.end('ok'));
   server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

async function start(kind: 'asks' | 'asks-none'): Promise<string> {
  return (await serve(script, kind)).url.replace('http:', 'https:');
}

describe('measure over https', () => {
  let key = '';
  let plain: string;
  let asking: string;
  beforeAll(async () => {
    const { ca, valid, client } = certificates();
    key = client.key;
    const files = { 'ca.pem': ca, 'valid.pem': valid.cert, 'valid.key': valid.key, 'client.pem': client.cert };
    for (const [name, text] of Object.entries({ ...files, 'client.key': key })) writeFileSync(at(name), text);
    [plain, asking] = await Promise.all([start('asks-none'), start('asks')]);
  });

  it('does not run the command where the certificate is not accepted, and says how to go on', async () => {
    const { verdict, exitCode } = await measured({ url: plain, while: `touch ${at('deployed')}` });
    expect(exitCode).toBe(3);
    expect(verdict.reasons[0]).toMatch(
      /no TLS with 127\.0\.0\.1 .*: certificate of an unknown authority; --ca FILE accepts .*--insecure accepts/u,
    );
    expect(existsSync(at('deployed'))).toBe(false);
  });

  it('says without a command, too, why nothing was answered', async () => {
    const { verdict, exitCode } = await measured({ url: plain, duration: '500ms' });
    expect(exitCode).toBe(1);
    expect(verdict.failureKinds).toEqual({ 'certificate not accepted': 50 });
    expect(verdict.notes[0]).toContain('50 requests failed in the TLS handshake');
    expect(verdict.citation).toContain('50 certificate not accepted');
  });

  it('tells a server that asks for a certificate, and writes down no key that is shown to it', async () => {
    const without = await measured({ url: asking, ca: at('ca.pem'), while: 'true' });
    expect(without.verdict.reasons[0]).toMatch(/alert certificate_required.*--cert FILE --key FILE/u);
    const own = { ca: at('ca.pem'), cert: at('client.pem'), key: at('client.key') };
    const { verdict, file } = await measured({ url: asking, ...own, duration: '1s' });
    expect(verdict.outcomes).toEqual({ ok: 100 });
    for await (const { connectedUs, securedUs } of readLedger(file(runFiles.ledger))) {
      expect(securedUs !== undefined).toBe(connectedUs !== null);
    }
    const [, secret = ''] = key.split('\n');
    const { stdout: found } = await execa('grep', ['-rlz', '--', secret, file('')], { reject: false });
    expect(found).toBe('');
  });

  it('says in the line to cite that no certificate was checked', async () => {
    const { verdict } = await measured({ url: plain, insecure: true, duration: '500ms' });
    expect(verdict.outcomes).toEqual({ ok: 50 });
    expect(verdict.citation).toContain('certificate not checked');
    expect(verdict.notes[0]).toContain('--insecure');
    const { verdict: checked } = await measured({ url: plain, ca: at('ca.pem'), duration: '500ms' });
    expect(checked.citation).not.toContain('certificate not checked');
    expect(checked.notes.join()).not.toContain('--insecure');
  });

  it('takes the capacity over https where no certificate is to be checked', async () => {
    const { textOf } = await measured({ url: plain, insecure: true, capacity: true, duration: '500ms' });
    const { before } = JSON.parse(textOf(runFiles.capacity)) as {
      before: { requestsPerSecond: number };
    };
    expect(before.requestsPerSecond).toBeGreaterThan(0);
  });
});

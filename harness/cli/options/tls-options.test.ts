import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../../base/testing-folder.ts';
import { certificates } from '../../in-lab/connection/testing-tls.ts';
import type { MeasureOptions } from './measure-options.ts';
import { targetOf } from './service-options.ts';

const folder = testFolder();
const url = 'https://127.0.0.1/';
let files: Record<'ca' | 'cert' | 'key' | 'otherKey' | 'locked' | 'broken', string>;
beforeAll(() => {
  const { ca, client, valid } = certificates();
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const locked = client.key.replaceAll('EC PRIVATE', 'ENCRYPTED PRIVATE');
  const texts = { ca, cert: client.cert, key: client.key, otherKey: valid.key, locked, broken };
  files = { ...texts };
  for (const [name, text] of Object.entries(texts) as [keyof typeof files, string][]) {
    files[name] = join(folder, name);
    writeFileSync(files[name], text);
  }
});

describe('the options for https', () => {
  it('ask the port of https, check certificates, and take up no session unless told to', async () => {
    const { service, request } = await targetOf({ url: 'https://[::1]/' });
    expect(service.port).toBe(443);
    expect(service.tls).toEqual({ caFile: null, isInsecure: false, certFile: null, resumes: false });
    expect(request.tls).toMatchObject({ serverName: '::1', ca: null, isInsecure: false, cert: null, key: null });
  });

  it('use what the files hold, and write down their names alone', async () => {
    const { ca, cert, key } = files;
    const { service, request } = await targetOf({ url, ca, cert, key, tlsResume: 'on' });
    expect(request.tls).toEqual({
      serverName: '127.0.0.1',
      ca: certificates().ca,
      isInsecure: false,
      ...certificates().client,
      resumes: true,
    });
    expect(service.tls).toEqual({ caFile: ca, isInsecure: false, certFile: cert, resumes: true });
    expect(JSON.stringify(service)).not.toContain('BEGIN');
  });

  it.each<[string, () => MeasureOptions, RegExp]>([
    ['a key of another certificate', () => ({ cert: files.cert, key: files.otherKey }), /none of the certificate/u],
    ['an encrypted key', () => ({ cert: files.cert, key: files.locked }), /is encrypted/u],
    ['a broken certificate', () => ({ cert: files.broken, key: files.key }), /no certificate that can be read/u],
    ['a broken authority', () => ({ ca: files.broken }), /--ca .* holds no certificate that can be read/u],
    ['a key in place of an authority', () => ({ ca: files.key }), /--ca .* holds no certificate that can be read/u],
  ])('refuse %s, and quote nothing of a key', async (_, options, sentence) => {
    const refused: unknown = await targetOf({ url, ...options() }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'option-value', message: expect.stringMatching(sentence) as string });
    expect((refused as Error).message).not.toContain('BEGIN');
  });
});

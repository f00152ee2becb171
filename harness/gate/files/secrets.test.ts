import { describe, expect, it } from 'vitest';
import { expand, shownBody, shownPath, shownScript, toldHeader } from './secrets.ts';
import { targetOf } from '../../cli/options/service-options.ts';

const environment = { TOKEN: 'abc-def', EMPTY: '' };

describe('a variable', () => {
  it('is put in its place, and $${ stands for ${', () => {
    expect(expand('--body', '{"a":"${TOKEN}","b":"$${TOKEN}","c":"$TOKEN${EMPTY}"}', environment)).toBe(
      '{"a":"abc-def","b":"${TOKEN}","c":"$TOKEN"}',
    );
  });

  it('that is not set is refused by its name', () => {
    expect(() => expand('--body', '${NO_SUCH}', environment)).toThrow('--body names ${NO_SUCH}');
  });
});

describe('what is written down of a header', () => {
  it.each([
    ['Authorization', 'Bearer abc', '${AUTHORIZATION}'],
    ['proxy-authorization', 'Basic abc', '${PROXY_AUTHORIZATION}'],
    ['Cookie', 'sid=abc', '${COOKIE}'],
    ['X-Api-Key', 'abc', '${X_API_KEY}'],
    ['X-Auth-Token', 'abc', '${X_AUTH_TOKEN}'],
    ['Authorization', 'Bearer ${TOKEN}', 'Bearer ${TOKEN}'],
    ['Ocp-Apim-Subscription-Key', 'abc', '${OCP_APIM_SUBSCRIPTION_KEY}'],
    ['X-JWT', 'abc', '${X_JWT}'],
    ['Idempotency-Key', 'abc', 'abc'],
    ['X-Shop', 'abc', '${X_SHOP}'],
    ['Accept', 'text/html', 'text/html'],
    ['X-Author', 'me', 'me'],
  ])('%s: %s is %s', (name, value, shown) => {
    expect(toldHeader(name, value, environment, ['x-shop']).shown).toBe(shown);
  });
});

describe('what is written down of a path', () => {
  it.each([
    ['/orders?page=2', '/orders?page=2'],
    ['/orders?page=2&access_token=abc&x=1', '/orders?page=2&access_token=${ACCESS_TOKEN}&x=1'],
    ['/orders?key=${TOKEN}', '/orders?key=${TOKEN}'],
    ['/orders?sig=abc', '/orders?sig=${SIG}'],
  ])('%s is %s', (path, shown) => {
    expect(shownPath(path)).toBe(shown);
  });
});

describe('what is written down of a command', () => {
  it.each([
    ['systemctl restart shop', 'systemctl restart shop'],
    ['TOKEN=abc ./deploy.sh --to blue', 'TOKEN=${TOKEN} ./deploy.sh --to blue'],
    ['DB_PASSWORD="a b" ./deploy.sh', 'DB_PASSWORD=${DB_PASSWORD} ./deploy.sh'],
    ['DB_PASS=abc ./deploy.sh --pass abc', 'DB_PASS=${DB_PASS} ./deploy.sh --pass ${PASS}'],
    ['TOKEN="$TOKEN" ./deploy.sh', 'TOKEN="$TOKEN" ./deploy.sh'],
    ['./deploy.sh --password abc --force', './deploy.sh --password ${PASSWORD} --force'],
    ['curl -H "Authorization: Bearer abc" x', 'curl -H "Authorization: ${AUTHORIZATION}" x'],
    ['curl -u me:abc http://x', 'curl -u me:${PASSWORD} http://x'],
    ['git pull https://me:abc@host/x', 'git pull https://me:${PASSWORD}@host/x'],
    ['echo s3cr3t-1 | deploy', 'echo ${SECRET} | deploy'],
  ])('%s is %s', (script, shown) => {
    expect(shownScript(script, ['s3cr3t-1'])).toBe(shown);
  });
});

it('a body that was typed is not written down, the name of a file is', () => {
  expect(['@order.json', '{"a":"${TOKEN}"}', '{"password":"abc"}'].map(shownBody)).toEqual([
    '@order.json',
    '{"a":"${TOKEN}"}',
    '${BODY}',
  ]);
});

it('a service is sent its secrets, and its record has none', async () => {
  const { service, request, command } = await targetOf(
    {
      url: 'http://127.0.0.1:8080/a?token=t-${TOKEN}&api_key=abc-key',
      method: 'POST',
      header: ['Authorization: Bearer abc-header', 'X-Trace: ${TOKEN}'],
      body: 'abc-body',
      while: 'deploy --with abc-header',
    },
    environment,
  );
  expect(request.target).toBe('/a?token=t-abc-def&api_key=abc-key');
  expect(request.headers.slice(1)).toEqual([
    ['Authorization', 'Bearer abc-header'],
    ['X-Trace', 'abc-def'],
  ]);
  expect(request.body?.toString()).toBe('abc-body');
  expect(command).toBe('deploy --with abc-header');
  expect(JSON.stringify(service)).not.toContain('abc-');
  expect(service.path).toBe('/a?token=t-${TOKEN}&api_key=${API_KEY}');
});

import { describe, expect, it } from 'vitest';
import { logLineIn } from './log-line.ts';

const at = (iso: string): number => Date.parse(iso) * 1000;

/** Lines as the servers wrote them (nginx 1.22, HAProxy 2.6, Caddy 2.6, Apache 2.4, Traefik 3.7), an upstream of which was killed. */
const nginx = '127.0.0.1 - - [27/Nov/2026:13:42:42 +0000] "GET /gone?a=1 HTTP/1.1" 502 157 "-" "curl/7.88.1"';
const lines = {
  nginx,
  nginxWithMore: `${nginx} 20261127T120000Z-abcd-1-5 rt=0.021 ua="127.0.0.1:19001" us="502"`,
  nginxJson:
    '{"time":"2026-11-27T13:42:42+00:00","msec":"1795786962.774","request_id":"20261127T120000Z-abcd-1-5","request_method":"GET","request_uri":"/gone?a=1","status":"502","body_bytes_sent":"157","request_time":"0.021","upstream_addr":"127.0.0.1:19001","upstream_status":"502"}',
  haproxy:
    '127.0.0.1:48144 [27/Nov/2026:13:42:42.782] fe be/s1 0/0/-1/-1/3005 503 217 - - SC-- 1/1/0/0/3 0/0 {20261127T120000Z-abcd-1-5} "GET /gone?a=1 HTTP/1.1"',
  caddy:
    '{"level":"error","ts":1795786965.8018856,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"127.0.0.1","proto":"HTTP/1.1","method":"GET","host":"127.0.0.1:19103","uri":"/gone?a=1","headers":{"X-Request-Id":["20261127T120000Z-abcd-1-5"]}},"user_id":"","duration":0.000188492,"size":0,"status":502,"resp_headers":{"Server":["Caddy"]}}',
  traefik:
    '{"ClientHost":"127.0.0.1","DownstreamContentSize":11,"DownstreamStatus":502,"Duration":276512,"OriginStatus":502,"RequestMethod":"GET","RequestPath":"/gone?a=1","ServiceAddr":"127.0.0.1:19001","StartUTC":"2026-11-27T13:42:45.827570544Z","request_X-Request-Id":"20261127T120000Z-abcd-1-5","time":"2026-11-27T13:42:45Z"}',
  traefikCommon:
    '127.0.0.1 - - [27/Nov/2026:13:42:45 +0000] "GET /gone?a=1 HTTP/1.1" 502 11 "-" "-" 6 "r@file" "http://127.0.0.1:19001" 12ms',
};
const asked = { method: 'GET', target: '/gone?a=1' };
const inSecond = { atWallUs: at('2026-11-27T13:42:42Z'), withinUs: 1_000_000 };

describe('a line of an access log', () => {
  it('of nginx and Apache has the second, and what else people append', () => {
    const common = { format: 'combined (nginx, Apache)', ...asked, ...inSecond, status: 502, bytes: 157 };
    expect(logLineIn(lines.nginx)).toEqual(common);
    const more = { durationUs: 21_000, upstream: '127.0.0.1:19001', upstreamStatus: '502' };
    expect(logLineIn(lines.nginxWithMore)).toEqual({ ...common, ...more });
    expect(logLineIn(lines.nginx.replace('13:42:42 +0000', '15:42:42 +0200'))).toEqual(common);
    expect(logLineIn(lines.nginx.replace('502 157', '000 -'))).toEqual({ ...common, status: null, bytes: undefined });
  });

  it('of nginx in JSON has the finest of its stamps, which is of the end', () => {
    expect(logLineIn(lines.nginxJson)).toEqual({
      ...{ format: 'JSON (nginx and others)', isEnd: true, ...asked, status: 502, bytes: 157 },
      ...{ atWallUs: at('2026-11-27T13:42:42.774Z'), withinUs: 1_000, durationUs: 21_000 },
      ...{ upstream: '127.0.0.1:19001', upstreamStatus: '502' },
    });
    const named = '{"@timestamp":"2026-11-27T13:42:42.774Z","request":"GET /gone?a=1 HTTP/1.1","status":502}';
    expect(logLineIn(named)).toMatchObject({ ...asked, status: 502, withinUs: 1_000 });
  });

  it('of HAProxy tells who ended it', () => {
    const read = (text = lines.haproxy) => logLineIn(text);
    expect(read()).toEqual({
      ...{ format: 'HAProxy, httplog', ...asked, status: 503, bytes: 217, durationUs: 3_005_000 },
      ...{ atWallUs: Date.parse('27 Nov 2026 13:42:42.782') * 1000, withinUs: 1_000 },
      ...{ upstream: 'be/s1', said: 'its upstream refused' },
    });
    expect(read(`Nov 27 13:42:45 host haproxy[7]: ${lines.haproxy}`)).toEqual(read());
    const state = (word: string) => read(lines.haproxy.replace('SC--', word))?.said;
    expect(state('SD--')).toBe('its upstream ended it within the answer');
    expect(state('CH--')).toBe('the client ended it before an answer');
    expect(state('sH--')).toBe('the time of its upstream ended it before an answer');
    expect(state('----')).toBeUndefined();
    expect(read(lines.haproxy.replace('be/s1', 'be/<NOSRV>'))).toMatchObject({ said: 'no server was up' });
    expect(read(lines.haproxy.replace('503 217', '-1 0'))?.status).toBeNull();
  });

  it('of Caddy has microseconds of the end; its error log is no access log', () => {
    expect(logLineIn(lines.caddy)).toEqual({
      ...{ format: 'Caddy, JSON', isEnd: true, ...asked, status: 502, bytes: 0, durationUs: 188 },
      ...{ atWallUs: 1_795_786_965_801_886, withinUs: 1 },
    });
    expect(logLineIn(lines.caddy.replace('"status":502', '"status":0'))?.status).toBeNull();
    expect(logLineIn(lines.caddy.replace('http.log.access', 'http.log.error'))).toBeNull();
  });

  it('of Traefik has nanoseconds of the beginning, in JSON', () => {
    expect(logLineIn(lines.traefik)).toEqual({
      ...{ format: 'Traefik, JSON', ...asked, status: 502, bytes: 11, durationUs: 277, upstream: '127.0.0.1:19001' },
      ...{ atWallUs: at('2026-11-27T13:42:45.827Z') + 571, withinUs: 0 },
    });
    expect(logLineIn(lines.traefikCommon)).toMatchObject({
      ...{ format: 'Traefik, common', ...asked, status: 502, durationUs: 12_000, upstream: 'http://127.0.0.1:19001' },
    });
  });

  it.each([
    'hello',
    '',
    '{"level":"info","msg":"started"}',
    '{"broken',
    '{"request":{"method":"GET"}}',
    '2026/11/27 13:42:42 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream',
    '127.0.0.1 - - [27/Nov/2026:13:42:42 +0000] "-" 400 0 "-" "-"',
  ])('is none: %j', (text) => {
    expect(logLineIn(text)).toBeNull();
  });
});

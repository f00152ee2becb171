/** What a user's own dynamic file of Traefik would surely not do in the lab. Pure. */
import { readYaml, type Path } from '../gate/files/yaml-data.ts';
import type { TextMistake } from './unit-text.ts';

/** The one entry point of the lab's proxy: containers/edge/etc/traefik/traefik.yml. */
const entryPoint = 'web';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

/**
 * Looks whether a request for the host can reach the service by it. One with Go's templates, with TCP routers or in TOML is
 * not looked into.
 * @param file how errors call it
 * @param asked where the service is, such as 127.0.0.1:18080, and the Host of its requests
 * @throws {HarnessError} where it is no YAML
 */
export function proxyMistake(
  text: string,
  file: string,
  { address, host }: { readonly address: string; readonly host: string },
): TextMistake | null {
  if (text.includes('{{') || file.endsWith('.toml')) return null;
  const { data, placeOf } = readYaml(text, file);
  const at = (path: Path, what: string, hint: string): TextMistake => ({ ...placeOf(path), what, hint });
  const { http, tcp } = fieldsOf(data);
  if (tcp !== undefined) return null;
  const { routers, services } = fieldsOf(http);
  const port = address.split(':')[1] ?? '';
  const urls = Object.entries(fieldsOf(services)).flatMap(([name, service]) =>
    Object.entries(fieldsOf(fieldsOf(fieldsOf(service)['loadBalancer'])['servers'])).map(([index, server]) => ({
      path: ['http', 'services', name, 'loadBalancer', 'servers', index, 'url'],
      url: String(fieldsOf(server)['url']),
    })),
  );
  if (!urls.some(({ url }) => new RegExp(`^http://[^/]+:${port}/?$`, 'u').test(url))) {
    const { path } = urls[0] ?? { path: ['http', 'services'] };
    return at(path, `no server is at port ${port}, which is public`, `For the proxy it is http://127.0.0.1:${port}`);
  }
  const all = Object.entries(fieldsOf(routers)).map(([name, router]) => ({
    path: ['http', 'routers', name],
    ...routerOf(fieldsOf(router), host),
  }));
  const [first] = all;
  if (first === undefined)
    return at(['http'], 'there are no routers: it routes nothing', 'A router says which requests go to which service.');
  if (all.some(({ isOther, isSecure, isForeign }) => !isOther && !isSecure && !isForeign)) return null;
  const { path } = first;
  if (first.isOther) {
    const hint = `The lab's proxy has the entry point ${entryPoint} alone; left out, a router is of all.`;
    return at([...path, 'entryPoints'], `no router is of the entry point ${entryPoint}`, hint);
  }
  if (first.isSecure) {
    return at([...path, 'tls'], 'no router takes plain http, which the load speaks', 'Name a router without tls, too.');
  }
  const named = /Host\(`([^`]+)`/u.exec(first.rule)?.[1];
  return at([...path, 'rule'], `no rule takes the requests, whose Host is ${host}`, `Write host: ${named ?? host}`);
}

/** Why a router would not take the load's requests. */
function routerOf({ rule = '', entryPoints, tls }: Fields, host: string) {
  const text = String(rule);
  return {
    rule: text,
    isOther: Array.isArray(entryPoints) && !entryPoints.includes(entryPoint),
    isSecure: tls !== undefined,
    isForeign: text.includes('Host(') && !text.toLowerCase().includes(`\`${host.toLowerCase()}\``),
  };
}

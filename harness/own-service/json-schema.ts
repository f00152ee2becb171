/** The JSON Schema of service.yaml, for editors: what may stand there, and what each field means. */
import { draft7Schema } from '../verdict/record/json-schema.ts';
import { writtenServiceSchema } from './read-service.ts';

/** Where the published copy lies, from the project's folder. */
export const serviceSchemaFile = 'docs/service.schema.json';

type Description = string | readonly [text: string, ...examples: unknown[]];

const placeholdersNote = 'With placeholders: {public}, {internal}, {database}, {version} and others.';
const variableNote = '${NAME} is a variable of the shell that starts the experiment; its value is not written down.';

/** What each field means; `*` is any entry of a list. */
const descriptions: Readonly<Record<string, Description>> = {
  name: ['Names folders, units and the domain of the service.', 'shop'],
  files: [
    'Files and folders that are copied onto the server, to /opt/NAME/.',
    ['shop'],
    [{ from: 'app', to: '/srv/app' }],
  ],
  'files.*.from': ['A file or a folder, from the folder of this file on.', 'build/shop'],
  'files.*.to': ['Where it goes: the absolute path of the file or folder itself.', '/srv/shop'],
  packages: ['Debian packages for the server.', ['python3', 'gunicorn']],
  image: [
    'An image of the engine (Debian or Ubuntu): the server is made of it, with its variables, working folder and user.',
    'python:3.13-slim',
  ],
  start: [`The command line that runs the service. ${placeholdersNote}`, '/opt/shop/shop --listen {public}'],
  unit: ['In place of start: your own unit, used as it is. NAME.service, no template.', 'deploy/shop.service'],
  socket: ['Your own socket unit, which listens at the port of public.', 'deploy/shop.socket'],
  env: ['A file of variables for the unit, NAME=value a line.', 'deploy/shop.env'],
  environment: [`Variables for the unit. ${placeholdersNote} ${variableNote}`, { APP_ENV: 'production' }],
  public: ['Where it takes requests. Ports 80 and 8099 are the proxy’s.', '127.0.0.1:8080'],
  internal: ['Where health and version are asked, if that is another port.', '127.0.0.1:8081'],
  listens: 'itself: it opens its port. inherits: it serves fd 3 only (LISTEN_FDS). either: fd 3 if it is given one.',
  host: ['The Host header of its requests; left out: NAME.test.', 'shop.example'],
  health: ['Where its health is asked.', { live: '/livez', ready: '/readyz' }],
  'health.live': ['Answers 2xx while the process lives, in warm-up and drain, too.', '/livez'],
  'health.ready': ['Answers 2xx while it takes requests: 503 while it warms up, and from SIGTERM on.', '/readyz'],
  version: 'How its version shows. Left out: whether an answer was stale is not known.',
  'version.header': ['The header that tells in each answer which version gave it.', 'X-App-Version'],
  'version.path': ['A path whose answer is the version.', '/version'],
  database: ['The SQLite file of the service, on the server; {database} in start.', '/var/lib/shop/shop.db'],
  writes: 'How one learns which writes are stored. Left out: writes are not checked.',
  'writes.requests': ['Names of the requests that write.', ['order'], ['POST /orders']],
  'writes.sql': [
    'Its first column is the {id} of each write that is stored, once for each time that it is.',
    'select id from orders',
  ],
  'writes.database': 'The SQLite file that is asked; left out: database.',
  'writes.url': ['Answers 2xx where the write with this {id} is stored, 404 where it is not.', '/orders/{id}'],
  'writes.command': [
    'Prints the {id} of each write that is stored, a line each time that it is; runs on the server.',
    'cat /var/lib/shop/orders',
  ],
  release: 'What a release is. Left out: the same program is started again.',
  'release.environment': [`Variables that each deploy sets. ${variableNote}`, { APP_VERSION: '{version}' }],
  'release.link': ['A link on the server that each deploy points to the next of folders.', '/opt/shop/current'],
  'release.folders': ['Folders of yours that take turns behind the link.', ['releases/old', 'releases/new']],
  'release.command': ['Runs on the server before each restart.', 'echo {version} > /opt/shop/VERSION'],
  proxy: ['Its own dynamic file for Traefik, used as it is.', 'deploy/traefik.yml'],
  containers: 'Servers that it needs, such as PostgreSQL; on the network of the server, at 127.0.0.1.',
  'containers.*.name': ['What the report calls it.', 'database'],
  'containers.*.image': ['An image that the engine has, or can fetch.', 'postgres:17'],
  'containers.*.packages': ['Debian packages over the lab’s own image.', ['postgresql']],
  'containers.*.environment': [`Its variables. ${variableNote}`, { POSTGRES_PASSWORD: '${PGPASSWORD}' }],
  'containers.*.start': 'What it runs; left out: what its image runs.',
  'containers.*.ready': ['Ends with status 0 once it can be used; runs in it.', 'pg_isready -q -h 127.0.0.1'],
  requests: ['The requests of the load.', [{ path: '/' }]],
  'requests.*.name': ['What report and ledger call it; left out: method and path.', 'order'],
  'requests.*.method': 'Its method.',
  'requests.*.path': ['Path and query. {id} is the request’s own id, {seq} its number.', '/items/{seq}'],
  'requests.*.weight': 'Its share of the load.',
  'requests.*.headers': [`Its headers. {id} and {seq} are filled in. ${variableNote}`, { 'Idempotency-Key': '{id}' }],
  'requests.*.body': ['Its body, with {id} and {seq}; or @FILE: the bytes of a file.', '{"id": "{id}"}', '@photo.jpg'],
  'requests.*.expect': 'What makes an answer ok.',
  'requests.*.expect.status': ['The right status; left out: any 2xx.', 201],
  'requests.*.expect.header': [
    'What a header is, or an expression between slashes.',
    { 'Content-Type': '/^text[/]html/' },
  ],
  'requests.*.expect.body': ['A text that the body contains, or an expression between slashes.', '<h1>Shop'],
  'requests.*.expect.json': [
    'By JSON path (RFC 9535): the value that all it selects must have.',
    { '$.order.state': 'new' },
  ],
};

/** Texts that may be written as numbers: they are taken as they are written. */
const digitsToo = /(?:^|\.)(?:environment|headers|header)\.\*$|\.body$/u;

type Node = Record<string, unknown>;

/** The schema of a service.yaml. */
export function serviceJsonSchema(): Node {
  const { $schema, ...rest } = draft7Schema(writtenServiceSchema, 'input');
  describeBelow(rest, '');
  const oneOf = (...names: string[]): Node => ({ oneOf: names.map((name) => ({ required: [name] })) });
  const { containers } = rest['properties'] as Record<string, { items?: Node }>;
  Object.assign(containers?.items ?? {}, oneOf('image', 'packages'));
  return {
    $schema,
    $id: 'urn:restart-proof:service:1',
    title: 'service.yaml of restart-proof',
    description: 'A service of your own in the lab: what runs, how it is asked, what a release is.',
    ...rest,
    ...oneOf('start', 'unit'),
    dependencies: { socket: ['unit', 'listens'], image: ['start'] },
  };
}

/** The text of the published file. */
export function serviceJsonSchemaText(): string {
  return `${JSON.stringify(serviceJsonSchema(), null, 2)}\n`;
}

function describeBelow(node: Node, path: string): void {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  for (const [name, part] of Object.entries((node['properties'] ?? {}) as Record<string, Node>)) {
    const [description, ...examples] = [descriptions[at(name)] ?? ''].flat();
    Object.assign(part, { description }, examples.length > 0 && { examples });
    describeBelow(part, at(name));
  }
  for (const each of (node['anyOf'] ?? []) as Node[]) {
    // What tells one from the others; else an editor calls all by the title of the schema.
    if (Array.isArray(each['required']))
      each['title'] = each['required'].filter((name) => name !== 'requests').join(', ');
    describeBelow(each, path);
  }
  for (const part of [node['items'], node['additionalProperties']]) {
    if (typeof part === 'object' && part !== null) describeBelow(part as Node, at('*'));
  }
  if (digitsToo.test(path) && node['type'] === 'string') node['type'] = ['string', 'number'];
  // Not every reader of patterns knows classes of letters.
  if (String(node['pattern']).includes('\\p{')) delete node['pattern'];
}

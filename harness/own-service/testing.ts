/** For tests: a service.yaml, and wrong ones with what is said of each. */

/** A right file with one of its lines in another form, and lines behind it: `requests` is line 4. */
export function serviceYaml({
  name = 'name: shop',
  files = 'files: [app]',
  start = 'start: /opt/shop/app {public}',
  more = '',
}): string {
  return `${name}\n${files}\n${start}\nrequests:\n  - path: /\n${more}`;
}

const listed =
  '{public}, {publicPort}, {internal}, {internalPort}, {database}, {version}, {graceMs}, {shutdownTimeoutMs}, {warmupMs}';
const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...'bcde'.split('').map((one, at) => {
    const before = `*${'abcd'[at] ?? ''}`;
    return `${one}: &${one} [${Array.from({ length: 10 }, () => before).join(', ')}]`;
  }),
].join('\n');

type WrongText = readonly [text: string, sentence: string];

/** Lines behind a right file, of which the first is line 6. */
const wrongLines: readonly WrongText[] = [
  ['host: !env X', '6:7: the tag !env is not known here.'],
  ['host: *x', '6:7: there is no anchor &x.'],
  ['name: other', '6:1: the same field is there twice.'],
  ['unit: shop.service', '6:7: unit: start and unit are two ways to say what runs: take one'],
  ['packages: ["curl; reboot"]', '6:12: packages.0: is no name of a Debian package'],
  ['public: 8080', '6:9: public: must be 127.0.0.1:PORT, or 0.0.0.0:PORT'],
  ['public: 127.0.0.1:99999', '6:9: public: its port must be from 1 to 65535'],
  ['public: 127.0.0.1:80', "6:9: public: port 80 is the proxy's: take another"],
  ['internal: 127.0.0.1:8099', "6:11: internal: port 8099 is the proxy's: take another"],
  ['internal: 127.0.0.1:18080', '6:11: internal: is the port of public: leave it out where health is asked there, too'],
  ['listens: inherit', '6:10: listens: must be itself, inherits or either, not "inherit". Did you mean inherits?'],
  ['socket: shop.socket', '6:9: socket: goes with your own unit; with start, listens says what it takes'],
  ['health: { livez: /livez }', '6:11: health.livez: there is no such field. Did you mean live?'],
  ['health: /livez', '6:9: health: must be a map of fields, not "/livez"'],
  ['version: {}', '6:1: version: needs header or path'],
  ['version: { header: a b }', '6:20: version.header: is no name of a header'],
  [
    'version: { header: A, path: /v }',
    '6:23: version.path: does not go with the fields beside it: it is another way to say the same',
  ],
  ['environment: { DEBUG: true }', '6:23: environment.DEBUG: must be text, not true: write it in quotes'],
  ['environment: { a-b: x }', '6:16: environment.a-b: is no name of a variable'],
  ['environment: { A: "x\\ny" }', '6:19: environment.A: must be one line'],
  ['environment: { A: "${NONE}" }', '6:19: environment.A names ${NONE}, and the environment has no NONE.'],
  ['environment: { A: "${LINES}" }', '6:19: environment.A: must be one line, and the variable that it names is not.'],
  ['writes: { requests: [GET /] }', '6:1: writes: needs sql, url or command'],
  ['writes: { requests: [GET /], sql: select 1 }', '6:35: writes.sql: needs database: the SQLite file that is asked'],
  [
    "health: { ready: '/ready?k=${LINES}' }",
    '6:18: health.ready: must be one line, and the variable that it names is not.',
  ],
  [
    "version: { path: '/a version' }",
    '6:18: version.path: must be as it is sent: ASCII without spaces and # (%20 is a space).',
  ],
  ['writes: { requests: [GET /], url: /x }', '6:35: writes.url: must hold {id}'],
  ['writes: { requests: [order], command: ls }', '6:22: writes.requests.0: there is no request "order".'],
  [
    'release: { env: { A: x } }',
    '6:12: release.env: there is no such field; there are environment, link, folders, command',
  ],
  [
    'release: { environment: { A: "{versoin}" } }',
    '6:30: release.environment.A: {versoin} is not filled in; {{versoin}} stands for itself. Did you mean version?',
  ],
  ['release: { link: /opt/shop/app, folders: [units] }', '2:9: files.0: goes to /opt/shop/app, as release.link does.'],
  ['containers: [{ name: db }]', '6:14: containers.0: needs either image or packages'],
  [
    'containers: [{ name: db, image: a }, { name: db, image: a }]',
    '6:46: containers.1.name: another container is called db',
  ],
  [
    'restart: always',
    '6:1: restart: there is no such field; there are name, files, packages, image, start, unit, socket, env, environment, public, internal, listens, host, health, version, database, writes, release, proxy, containers, requests',
  ],
];

/** In place of its third line. */
const wrongStarts: readonly WrongText[] = [
  ['', '1:1: needs start (a command line) or unit (your own unit file)'],
  [
    'start: /opt/shop/app {pubic}',
    '3:8: start: {pubic} is not filled in; {{pubic}} stands for itself. Did you mean public?',
  ],
  [
    'start: /opt/shop/app {port}',
    `3:8: start: {port} is not filled in; {{port}} stands for itself. There are ${listed}.`,
  ],
  ['start: /opt/shop/app {database}', '3:8: start: {database} needs database: the path of the file'],
  ["start: '# Write it'", '3:8: start: is only a comment: write the command line that runs the service'],
  ['start: ./app', '3:8: start: takes an absolute path or a plain name, not ./app.'],
  ['start: |\n  /opt/shop/app\n  --port 1', '3:8: start: must be one line: in YAML, >- makes one of several'],
];

/** In place of its second line. */
const wrongFiles: readonly WrongText[] = [
  ['files: app', '2:8: files: must be a list, not "app"'],
  ['files: [{ form: app }]', '2:11: files.0.form: there is no such field. Did you mean from?'],
  [
    'files: [{ from: app, to: /opt/ }]',
    '2:26: files.0.to: must be an absolute path on the server, without .. in it and / at its end',
  ],
  [
    'files: [{ from: app, to: /opt/../etc/app }]',
    '2:26: files.0.to: must be an absolute path on the server, without .. in it and / at its end',
  ],
  ['files: [app, { from: app, to: /opt/shop/app }]', '2:14: files.1: goes to /opt/shop/app, as files.0 does.'],
];

/** Texts, and where and what is wrong; `LINES` of the environment holds two lines. */
export const wrongTexts: readonly WrongText[] = [
  ...wrongLines.map(([more, sentence]) => [serviceYaml({ more }), sentence] as const),
  ...wrongStarts.map(([start, sentence]) => [serviceYaml({ start }), sentence] as const),
  ...wrongFiles.map(([files, sentence]) => [serviceYaml({ files }), sentence] as const),
  ['', '1:1: is empty.'],
  ['# nothing\n', '1:1: is empty.'],
  ['- name: shop\n', '1:1: must be a map of fields, not a list'],
  ['shop', '1:1: must be a map of fields, not "shop"'],
  ['name: shop\nhealth:\n\tlive: /\n', '3:1: a tab stands where the indent is: use spaces.'],
  [serviceYaml({ name: 'name: sh\0op' }), '1:9: a control character (U+0000) is not text.'],
  [`\ufeff${serviceYaml({ more: 'nme: x' })}`, '6:1: nme: there is no such field. Did you mean name?'],
  [serviceYaml({ more: 'nme: x\n' }).replaceAll('\n', '\r\n'), '6:1: nme: there is no such field. Did you mean name?'],
  [`${serviceYaml({})}---\n${serviceYaml({})}`, '6:1: a second document begins here; the file may have one.'],
  [bomb, '1:14: with its aliases it has more than 20000 values.'],
  [`a: ${'['.repeat(60)}${']'.repeat(60)}`, '1:36: nested deeper than 32 levels.'],
  [`%YAML 1.1\n---\n${serviceYaml({})}`, '1:1: YAML 1.1 reads yes as true and 010 as 8: take the line %YAML 1.1 away.'],
  [serviceYaml({ name: '' }), '2:1: name: is missing: it must be text'],
  [serviceYaml({ name: 'nme: shop' }), '1:1: nme: there is no such field. Did you mean name?'],
  [
    serviceYaml({ name: 'name: My Shop' }),
    '1:7: name: must be lower case, digits and dashes, at most 31 letters, a letter first',
  ],
  ['name: shop\nstart: x\n', '1:1: requests: is missing: it must be a list'],
  ['name: shop\nstart: x\nrequests: []\n', '3:1: requests: must be a list of at least 1, not of 0'],
  ['name: shop\nstart: x\nrequests:\n  - method: GET\n', '4:5: requests.0.path: is missing: it must be text'],
  [
    'name: shop\nstart: x\nrequests:\n  - path: http://shop/\n',
    '4:11: requests.0.path: must begin with /: it is a path, not a whole URL',
  ],
  [
    'name: shop\nstart: x\nrequests:\n  - path: /\n    headers: { Host: a }\n',
    '5:22: requests.0.headers.Host: is the same for all requests: write host: beside requests.',
  ],
  [
    'name: shop\nstart: x\nrequests:\n  - path: /\n    body: "@none.bin"\n',
    '5:11: requests.0.body: the file none.bin does not exist.',
  ],
];

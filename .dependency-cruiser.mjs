/**
 * Which folder may import which. The rooms of harness/ stand in the order in which data flows: a room imports only from
 * the rooms before it. `npm run check:imports` holds every import against this, those of types included; tests may look ahead.
 */
const rooms = [
  'base',
  'experiment',
  'run',
  'in-lab',
  'lab',
  'conduct',
  'verdict',
  'report',
  'gate',
  'advice',
  'own-service',
  'calibration',
  'doctor',
  'init',
  'cli',
];

const anyOf = (names) => `(${names.join('|')})`;

const inOrder = rooms.slice(0, -1).map((room, index) => ({
  name: `${room}-imports-earlier-rooms`,
  severity: 'error',
  comment: `harness/${room} imports only from the rooms before it: ${rooms.slice(0, index).join(', ') || 'none'}.`,
  // The made-up run that tests share is the verdict's, which reads every file of one.
  from: { path: `^harness/${room}/`, pathNot: '\\.test\\.ts$' },
  to: { path: [`^harness/${anyOf(rooms.slice(index + 1))}/`, '^harness/(package-)?cli\\.'] },
}));

export default {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'Files that import each other cannot be read, or moved, one at a time.',
      from: {},
      to: { circular: true },
    },
    ...inOrder,
    {
      name: 'verdict-reads-files-only',
      severity: 'error',
      comment: 'A run is judged by what lies in its folder, whoever made it: no code that runs a lab is needed for it.',
      from: { path: '^harness/verdict/' },
      to: { path: '^harness/(lab|in-lab|conduct)/' },
    },
    {
      name: 'site-knows-no-harness',
      severity: 'error',
      comment: 'What is measured must not share code with what measures it.',
      from: { path: '^app-under-test/' },
      to: { path: '^(harness|experiments)/' },
    },
    {
      name: 'harness-meets-site-over-network',
      severity: 'error',
      comment: 'The harness meets the site over the network only.',
      from: { path: '^(harness|experiments)/' },
      to: { path: '^app-under-test/' },
    },
    {
      name: 'experiments-are-data',
      severity: 'error',
      comment: 'An experiment is data: it imports nothing but its schema.',
      from: { path: '^experiments/' },
      to: { path: '^harness/(?!experiment/)' },
    },
    {
      name: 'no-test-code-in-use',
      severity: 'error',
      comment: 'Test helpers are not in the package: code that runs must not need them.',
      from: { pathNot: '(\\.test\\.ts|/testing[^/]*\\.ts)$' },
      to: { path: '(\\.test\\.ts|/testing[^/]*\\.ts)$' },
    },
    {
      name: 'import-is-found',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};

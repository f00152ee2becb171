import tseslint from 'typescript-eslint';

/** The rooms in the order in which data flows; a folder imports only from itself and from those before it. */
const stream = [
  'scenario',
  'lab',
  'timeline',
  'load',
  'ledger',
  'verdict',
  'report',
  'gate',
  'measure',
  'calibration',
  'doctor',
  'commands',
];

const importsOnlyUpstream = stream.map((room, index) => ({
  files: [`harness/${room}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^\\.\\./(${[...stream.slice(index + 1), 'cli'].join('|')})(/|\\.)`,
            message: `harness/${room} imports only from the rooms before it: ${stream.slice(0, index).join(', ') || 'none'}.`,
          },
          { regex: 'app-under-test', message: 'The harness meets the site over the network only.' },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['node_modules/', 'reports/', '.cache/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['app-under-test/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '/(harness|experiments)/', message: 'The site knows nothing of the harness.' }] },
      ],
    },
  },
  {
    files: ['experiments/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '/harness/(?!scenario/)',
              message: 'An experiment is data: only harness/scenario may be imported.',
            },
          ],
        },
      ],
    },
  },
  ...importsOnlyUpstream,
);

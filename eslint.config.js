import tseslint from 'typescript-eslint';

/**
 * Files of a run come from anybody: harness/run/plain-file.ts opens them, and nothing else does. What is printed goes
 * through the context, whose streams pass nothing that a terminal or a CI system would obey.
 */
const oneDoor = {
  files: ['experiment', 'run', 'conduct', 'verdict', 'report', 'gate', 'own-service', 'init', 'cli'].map(
    (room) => `harness/${room}/**/*.ts`,
  ),
  ignores: [
    '**/*.test.ts',
    '**/testing*.ts',
    // The frame of the command line, which makes the context.
    'harness/cli/program.ts',
    // The door itself.
    'harness/run/plain-file.ts',
    'harness/run/run-door.ts',
    // Packs what it has just written into a folder of its own.
    'harness/verdict/evidence.ts',
    // A process in the lab, which speaks to the harness by its stdout.
    'harness/in-lab/deploy/deployer.ts',
    // What the user wrote or named: a budgets file, bodies, certificates.
    'harness/gate/files/written-file.ts',
    'harness/gate/files/request-mix.ts',
    'harness/cli/options/service-options.ts',
    'harness/cli/options/tls-options.ts',
    'harness/own-service/own-files.ts',
    'harness/own-service/program-check.ts',
    // What stands in a project of the user's, each file by its real path.
    'harness/init/folder.ts',
    // Opens a file of its own, to hold space.
    'harness/conduct/run-writer.ts',
    // The user's command and its output; what the kernel says of processes.
    'harness/conduct/service/command.ts',
    'harness/conduct/service/processes.ts',
    'harness/conduct/service/journal.ts',
    // The logs of others.
    'harness/conduct/service/access-log/log-tail.ts',
  ],
  rules: {
    'no-restricted-syntax': [
      'error',
      {
        selector:
          'ImportDeclaration[source.value=/^node:fs/] ImportSpecifier[imported.name=/^(readFile|readFileSync|createReadStream|open|openSync|openAsBlob|cp|cpSync|default)$/]',
        message: 'Files of a run are opened by harness/run/plain-file.ts and run-door.ts alone.',
      },
      {
        selector: 'MemberExpression[object.name="process"][property.name=/^(stdout|stderr)$/]',
        message: 'Print through the context: its streams show control characters, and send none.',
      },
    ],
  },
};

export default tseslint.config(
  { ignores: ['**/node_modules/', 'reports/', '.cache/', 'coverage/'] },
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
    files: ['**/*.ts', '**/*.mjs'],
    ignores: ['**/*.test.ts', '**/testing*.ts'],
    rules: {
      // A function fits on a screen.
      'max-lines-per-function': ['error', { max: 70 }],
      'max-params': ['error', { max: 4 }],
    },
  },
  oneDoor,
);

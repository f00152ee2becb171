import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '../../project.mjs';
import { withCommands, withPages } from './caller-words.ts';

it('names commands as the caller of the package types them, and leaves those that the package lacks', () => {
  const text =
    'npm run query -- RUN lists, `npm run verify`; npm run query -- E5 -- --csv, npm run query E5 --wide, npm run query ' +
    'E5 -- --csv; not npm run index, npm run verify-all, npm run query:ci.';
  expect(withCommands(text, ['query', 'verify'])).toBe(
    'npx restart-proof query RUN lists, `npx restart-proof verify`; npx restart-proof query E5 -- --csv, npx restart-proof ' +
      'query E5 --wide, npx restart-proof query E5 --csv; not npm run index, npm run verify-all, npm run query:ci.',
  );
});

it('names files of the project by their path from where the caller is, or by the whole one', () => {
  const [above, name] = [dirname(projectFolder), projectFolder.slice(dirname(projectFolder).length + 1)];
  const text =
    'docs/ci.md shows each (docs/measure.md#https), experiments/gate.yaml; not /srv/docs/ci.md, docs/order.bin.';
  expect(withPages(text, projectFolder, above)).toBe(
    `${name}/docs/ci.md shows each (${name}/docs/measure.md#https), ${name}/experiments/gate.yaml; ` +
      'not /srv/docs/ci.md, docs/order.bin.',
  );
  expect(withPages('docs/ci.md', projectFolder, join(above, 'elsewhere'))).toBe(`${projectFolder}/docs/ci.md`);
});

import { expect, it } from 'vitest';
import { withCommands, withPages } from './caller-words.ts';

it('names commands as the caller types them, and leaves those that the package lacks', () => {
  const callOf = (command: string) => `npx restart-proof ${command}`;
  const text =
    'npm run query -- RUN lists, `npm run verify`; not npm run calibrate, npm run verify-all, npm run report:ci.';
  expect(withCommands(text, callOf)).toBe(
    'npx restart-proof query RUN lists, `npx restart-proof verify`; not npm run calibrate, npm run verify-all, npm run report:ci.',
  );
});

it('names pages by their path from where the caller is, or by the whole one', () => {
  const installed = '/shop/node_modules/restart-proof';
  const text = 'docs/ci.md shows each (docs/measure.md#https); not /srv/docs/ci.md, docs/order.bin.';
  expect(withPages(text, installed, '/shop')).toBe(
    'node_modules/restart-proof/docs/ci.md shows each (node_modules/restart-proof/docs/measure.md#https); not /srv/docs/ci.md, docs/order.bin.',
  );
  expect(withPages('docs/ci.md', installed, '/shop/web')).toBe('/shop/node_modules/restart-proof/docs/ci.md');
});

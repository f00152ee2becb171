import { expect, it } from 'vitest';
import { accountsOf } from './accounts.ts';

it.each([
  ['User=shop', 'u shop -\n'],
  ['User=shop\nGroup=www-data\nSupplementaryGroups=a b', 'g www-data -\ng a -\ng b -\nu shop -\n'],
  ['User = old\r\nUser=shop\r', 'u old -\nu shop -\n'],
  ['# User=shop\nUser=1000\nUser=%i', null],
  ['DynamicUser=yes\nUser=shop', null],
  ['ExecStart=/bin/x --User=shop', null],
])('%j needs %j', (lines, content) => {
  const files = accountsOf(`[Service]\n${lines}\n`);
  expect(files.map((file) => ('content' in file ? file.content : null))).toEqual(content === null ? [] : [content]);
});

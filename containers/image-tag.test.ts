import { expect, test } from 'vitest';
import { architectures, controlImageTag, labImageTag } from './image-tag.mjs';

test.each([
  ['lab', labImageTag],
  // Another one when the lab's image is.
  ['control', (architecture: 'amd64' | 'arm64') => controlImageTag(labImageTag(architecture))],
])('each architecture has an image of its own: %s', (name, tagOf) => {
  const tags = (['amd64', 'arm64'] as const).map((architecture) => tagOf(architecture));
  for (const tag of tags) expect(tag).toMatch(new RegExp(`^restart-proof/${name}:[0-9a-f]{12}$`, 'u'));
  expect(new Set(tags).size).toBe(2);
});

test('an architecture without an image is refused, also under a name that every object has', () => {
  expect(Object.keys(architectures)).toEqual(['amd64', 'arm64']);
  expect(() => labImageTag('s390x')).toThrow(RangeError);
  expect(() => labImageTag('constructor')).toThrow(RangeError);
});

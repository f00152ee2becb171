import { expect, test } from 'vitest';
import { architectures, controlImageTag, labImageTag } from './image-tag.mjs';

test('each architecture has an image of its own', () => {
  const tags = (['amd64', 'arm64'] as const).map((architecture) => labImageTag(architecture));
  for (const tag of tags) expect(tag).toMatch(/^restart-proof\/lab:[0-9a-f]{12}$/u);
  expect(new Set(tags).size).toBe(2);
});

test('an architecture without an image is refused, also under a name that every object has', () => {
  expect(Object.keys(architectures)).toEqual(['amd64', 'arm64']);
  expect(() => labImageTag('s390x')).toThrow(RangeError);
  expect(() => labImageTag('constructor')).toThrow(RangeError);
});

test('the image of a release lab is another one when the lab’s image is', () => {
  const tags = (['amd64', 'arm64'] as const).map((architecture) => controlImageTag(labImageTag(architecture)));
  for (const tag of tags) expect(tag).toMatch(/^restart-proof\/control:[0-9a-f]{12}$/u);
  expect(new Set(tags).size).toBe(2);
});

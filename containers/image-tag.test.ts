import { expect, test } from 'vitest';
import { labImageTag as harnessTag } from '../harness/lab/image.ts';
import { architectures, labImageTag } from './image-tag.mjs';

test.for(['amd64', 'arm64'])('setup and harness name the same image for %s', (architecture) => {
  expect(labImageTag(architecture)).toBe(harnessTag(architecture));
});

test('an architecture without an image is refused, also under a name that every object has', () => {
  expect(Object.keys(architectures)).toEqual(['amd64', 'arm64']);
  expect(() => labImageTag('s390x')).toThrow(RangeError);
  expect(() => labImageTag('constructor')).toThrow(RangeError);
});

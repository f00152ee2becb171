import { expect, it } from 'vitest';
import e6 from '../../experiments/E6-blue-green.ts';
import { ownServiceSchema } from './own-service.ts';
import { sitesOf } from './units.ts';

const request = {
  ...{ name: 'GET /', method: 'GET', path: '/', weight: 1, slotsOf100: 100 },
  ...{ headers: [], bodyBytes: null, expect: [] },
};

it.each([
  [18_080, 18_081, [19_080, 19_081]],
  [8_080, undefined, [9_080, 9_080]],
  [8_080, 9_080, [10_080, 11_080]],
  [9_080, 8_080, [11_080, 10_080]],
  [7_099, 7_100, [9_099, 9_100]],
  [65_000, 1_024, [64_000, 24]],
  [60_000, 65_535, [59_000, 64_535]],
])('the second colour of a service at %i and %s listens at ports of its own: %j', (publicPort, internalPort, ports) => {
  const service = ownServiceSchema.parse({
    ...{ name: 'shop', start: 'shop', requests: [request], contents: '' },
    public: `127.0.0.1:${publicPort}`,
    ...(internalPort !== undefined && { internal: `127.0.0.1:${internalPort}` }),
  });
  const [, green] = sitesOf({ ...e6, service })[0].colours;
  expect([green?.publicPort, green?.internalPort]).toEqual(ports);
});

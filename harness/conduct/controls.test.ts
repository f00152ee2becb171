import { describe, expect, it } from 'vitest';
import { loadExperiment } from '../experiment/catalog.ts';
import { ownServiceSchema, type OwnService } from '../experiment/own-service.ts';
import { controlsOf } from './controls.ts';
import { nameOfRun, requestOf } from './run-request.ts';

const get = {
  name: 'get',
  method: 'GET',
  path: '/',
  weight: 1,
  slotsOf100: 100,
  headers: [],
  bodyBytes: null,
  expect: [],
};

/** The controls, by name, of this experiment with the demo site (null) or with such a service. */
async function namesOf(id: string, service: Partial<OwnService> | null, variant: string | null = null) {
  const shown = ownServiceSchema.parse({
    name: 'shop',
    start: '/opt/shop/app {public} {internal}',
    internal: '127.0.0.1:18081',
    health: { live: '/livez', ready: '/readyz' },
    requests: [get],
    contents: '',
    ...service,
  });
  const request = requestOf({
    own:
      service === null
        ? null
        : {
            folder: '.',
            path: 'service.yaml',
            service: shown,
            shown,
            mix: [],
            hide: (text: string) => text,
            labelOf: String,
          },
    file: await loadExperiment(id),
    variant,
    changes: [['load.ratePerSecond', 77]],
    ...{ seed: 1, reportsFolder: 'reports', keep: false, capacity: false, withControls: true },
  });
  const controls = await controlsOf(request);
  expect(controls.map((control) => control.request.experiment.load.ratePerSecond)).toEqual(controls.map(() => 77));
  const activations = new Set(controls.map((control) => control.request.experiment.unit.activation));
  // What opens no port itself always has its socket.
  if (service?.listens === 'inherits') expect([...activations]).toEqual(['socket']);
  return controls.map((control) => `${control.role} ${nameOfRun(control.request)}`);
}

describe('the controls of a run', () => {
  it.each([
    ['E0', null, []],
    ['E1', null, ['C0 E0']],
    ['E3', null, ['C0 E0', 'C+ E1']],
    ['E5', null, ['C0 E0', 'C+ E5 own-port']],
    ['E5', 'own-port', ['C0 E0']],
    ['E7', null, ['C0 E0', 'C+ E7 without-retry']],
  ])('of the demo site are those that its file names: %s, variant %s', async (id, variant, names) => {
    expect(await namesOf(id, null, variant)).toEqual(names);
  });

  it.each([
    ['E1', 'itself', ['C0 E0']],
    ['E3', 'itself', ['C0 E0', 'C+ E1']],
    // Its own control sets a grace, of which this service is not told.
    ['E6', 'itself', ['C0 E0', 'C+ E1']],
    ['E5', 'either', ['C0 E0', 'C+ E1']],
    ['E5', 'inherits', ['C0 E0', 'C+ E5 socket-part-of']],
  ] as const)(
    'of a service of the user’s own have a plain restart as C+: %s, listens: %s',
    async (id, listens, names) => {
      expect(await namesOf(id, { listens })).toEqual(names);
    },
  );
});

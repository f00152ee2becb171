import { describe, expect, it } from 'vitest';
import { sitesOf } from '../../experiment/units.ts';
import { loadExperiment } from '../../experiment/catalog.ts';
import { insideLines } from './look-inside.ts';

describe('what to type to look into a kept lab', () => {
  const lab = async () => ({
    runId: 'R',
    edge: null,
    control: null,
    sites: sitesOf(await loadExperiment('E5')),
    serverAddress: '10.0.0.2',
    targetPort: 18_080,
  });

  it('names the unit, its log, the internal port, and how to take the lab down', async () => {
    const text = insideLines(await lab()).join('\n');
    expect(text).toContain("docker exec restart-proof-R-server journalctl --no-pager -n 50 -u 'site@demo.service'");
    expect(text).toContain("docker exec restart-proof-R-server systemctl status --no-pager 'site@demo.service'");
    expect(text).toContain('http://127.0.0.1:19080/readyz');
    expect(text).toContain('http://10.0.0.2:18080/livez');
    expect(text.split('\n').at(-1)).toBe('To take it down: npm run clean');
    // Without a proxy there is no such container.
    expect(text).not.toContain('-edge');
  });
});

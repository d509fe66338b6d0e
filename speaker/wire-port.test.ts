import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import { ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';
import type { Fact } from './orders.ts';
import { withoutKey } from './pulse-keys.ts';
import { WirePort } from './wire-port.ts';

describe('a wire thread', needsTwoHosts, () => {
  let hosts: TwoHosts;
  beforeEach(() => {
    hosts = new TwoHosts();
  });
  afterEach(() => hosts[Symbol.dispose]());

  test('that has left joins no link that comes before it is stopped', async () => {
    const { near } = hosts;
    const late = 'cable-late';
    const facts: Fact[] = [];
    const absent = () => facts.findLast((fact) => fact.kind === 'absent')?.links;
    const wire = openWire([near.link, late], facts);
    try {
      await until('the first link is joined', () => joined(facts).length === 1);
      await wire.leave(systemClock, 1_000);
      await until('all is left', () => facts.some(({ kind }) => kind === 'left'));
      ip('-n', near.namespace, 'link', 'add', late, 'type', 'veth');
      await until('the second link is seen', () => absent()?.length === 0);
    } finally {
      await wire.close();
    }
    assert.deepEqual(joined(facts), [near.link]);
  });

  /** The thread stays on the host on which it was started. */
  function openWire(links: readonly string[], facts: Fact[]): WirePort {
    using _ = hosts.enter(hosts.near);
    const start = {
      node: 'node-1',
      keys: withoutKey(),
      shortestPulseMs: 100,
      witnessSeconds: 0,
      probeMs: 0,
      pulsePort: 0,
      links,
      excludedLinks: [],
      responder: 'packet',
      checksKubeProxy: false,
      checksGateway: false,
    } as const;
    return new WirePort(start, (fact) => void facts.push(fact));
  }
});

const joined = (facts: readonly Fact[]): readonly string[] =>
  facts.flatMap((fact) => (fact.kind === 'joined' ? [fact.link] : []));

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Pool } from '../crds/pool.ts';
import { silentLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { keyOf, type Service } from '../kube/object.ts';
import { adopt } from './adopt.ts';
import { evasionMinutes, Evasions, mostEvasions } from './evasions.ts';
import { Ledger } from './ledger.ts';
import { dismiss, type Ports, reconcile } from './reconcile.ts';
import type { NodeWorld } from './node-addresses.ts';
import { type Reason, type Refusal, remedyOf } from './reasons.ts';
import { readRequest } from './request.ts';
import { conditionType, type News, type StatusPatch } from './status.ts';
import { strangersIn } from './strangers.ts';
import { hostileService } from './testing/hostile.ts';
import {
  dualStack,
  noNodes,
  nodePool,
  pool,
  range,
  rosterNode,
  service,
  type ServiceCase,
  sighting,
} from './testing/town.ts';

const lan = pool('lan', '198.51.100.1-198.51.100.2');

/** The Services of a cluster and one operator; nothing here waits. */
class Office implements Ports {
  readonly lbClass: string | undefined;
  readonly ledger = new Ledger(0);
  readonly evasions = new Evasions();
  readonly waiting = new Set<string>();
  readonly clock = new FakeClock();
  readonly warnings: string[] = [];
  readonly log = { ...silentLog, warn: (message: string) => void this.warnings.push(message) };
  readonly told: string[] = [];
  readonly services: Map<string, Service>;
  readonly due = new Set<string>();
  pools: readonly Pool[];
  nodeWorld: NodeWorld = noNodes;
  away = false;
  /** Writes are done, and nobody hears of it. */
  mute = false;
  /** A Service as the watch has brought it, while there is a newer one. */
  behind: Service | undefined;
  writes = 0;

  constructor(pools: readonly Pool[], services: readonly Service[] = [], lbClass?: string) {
    this.pools = pools;
    this.lbClass = lbClass;
    this.services = new Map(services.map((each) => [keyOf(each), each]));
    adopt({ services, pools, nodeWorld: noNodes, lbClass }, this.ledger);
  }

  service(key: string): Service | undefined {
    return this.behind !== undefined && keyOf(this.behind) === key
      ? this.behind
      : this.services.get(key);
  }

  world() {
    return {
      pools: this.pools,
      namespaceLabels: {},
      ledger: this.ledger,
      nodeWorld: this.nodeWorld,
      stayMs: (key: string) => this.evasions.waitMs(key, this.clock.nowMs()),
    };
  }

  async write(before: Service, { metadata, status }: StatusPatch): Promise<void> {
    if (this.away) throw new Error('the API server is away');
    if (before === this.behind) throw new Error('the Service has changed');
    this.writes++;
    const annotations = { ...before.metadata.annotations };
    for (const [name, value] of Object.entries(metadata.annotations ?? {})) {
      if (value === null) delete annotations[name];
      else annotations[name] = value;
    }
    const ingress = status?.loadBalancer?.ingress;
    this.services.set(keyOf(before), {
      ...before,
      metadata: { ...before.metadata, annotations },
      status: {
        ...before.status,
        ...(status?.conditions === undefined ? {} : { conditions: status.conditions }),
        ...(ingress === undefined ? {} : { loadBalancer: ingress === null ? {} : { ingress } }),
      },
    });
    if (this.mute) throw new Error('no answer');
  }

  tell(about: Service, { reason }: News): void {
    this.told.push(`${about.metadata.name} ${reason}`);
  }

  warn(about: Service, { reason }: Refusal): void {
    this.told.push(`${about.metadata.name} ${reason}`);
  }

  retryWaiting(): void {
    for (const key of this.waiting) this.due.add(key);
  }

  poolChanged(): void {}

  /** A user creates or edits a Service, and the operator looks at it. */
  async apply(name: string, extra: ServiceCase = {}): Promise<string> {
    const key = `default/${name}`;
    const { status, metadata } = this.services.get(key) ?? {};
    const next = service(name, extra);
    const annotations = { ...metadata?.annotations, ...next.metadata.annotations };
    const merged = { ...next, metadata: { ...next.metadata, annotations } };
    this.services.set(key, status === undefined ? merged : { ...merged, status });
    return this.look(name);
  }

  async look(name: string): Promise<string> {
    await reconcile(`default/${name}`, this, new AbortController().signal);
    return this.ips(name);
  }

  remove(name: string): void {
    this.services.delete(`default/${name}`);
    dismiss(`default/${name}`, this);
  }

  conditionOf(name: string) {
    const conditions = this.services.get(`default/${name}`)?.status?.conditions ?? [];
    return conditions.find(({ type }) => type === conditionType);
  }

  ips(name: string): string {
    const ingress = this.services.get(`default/${name}`)?.status?.loadBalancer?.ingress ?? [];
    return ingress.map(({ ip }) => ip).join(' ');
  }
}

const wants = (ip: string): ServiceCase => ({ annotations: { 'metallb.io/loadBalancerIPs': ip } });

test('an address whose write failed stays with its Service, and the next try writes it', async () => {
  const office = new Office([lan]);
  office.away = true;
  await assert.rejects(office.apply('a'), /away/);
  office.away = false;
  assert.equal(await office.apply('b'), '198.51.100.2');
  assert.equal(await office.look('a'), '198.51.100.1');
});

test('what could not be written is decided anew: an edit in between counts', async () => {
  const office = new Office([lan, pool('other', '203.0.113.7', { autoAssign: false })]);
  office.away = true;
  await assert.rejects(office.apply('a'), /away/);
  await assert.rejects(office.apply('b'), /away/);
  office.away = false;
  const from = (name: string) => ({ annotations: { 'metallb.io/address-pool': name } });
  assert.equal(await office.apply('a', from('nowhere')), '');
  office.pools = [{ ...lan, excluded: [range('198.51.100.2')] }];
  assert.equal(await office.look('b'), '198.51.100.1');
});

test('who could not be moved keeps the old address where the new one is not wanted any more', async () => {
  const office = new Office([lan]);
  await office.apply('a');
  office.away = true;
  await assert.rejects(office.apply('a', wants('198.51.100.2')), /away/);
  office.away = false;
  assert.equal(await office.apply('a', wants('typo')), '198.51.100.1');
  assert.equal(await office.apply('b'), '198.51.100.2');
});

test('what was written without an answer is what the Service has', async () => {
  const office = new Office([lan]);
  const next = pool('next', '203.0.113.7-203.0.113.9');
  office.mute = true;
  await assert.rejects(office.apply('a'), /no answer/);
  office.mute = false;
  office.pools = [next];
  assert.equal(await office.look('a'), '198.51.100.1');
  office.mute = true;
  await assert.rejects(office.apply('a', wants('203.0.113.8')), /no answer/);
  office.mute = false;
  office.pools = [lan];
  assert.equal(await office.apply('a', wants('203.0.113.8')), '203.0.113.8');
  assert.equal(await office.apply('b'), '198.51.100.1');
});

test('what may have been written is given to nobody before the server has told', async () => {
  const office = new Office([lan]);
  await office.apply('a', { annotations: { 'metallb.io/address-pool': 'new' } });
  const read = office.services.get('default/a');
  office.pools = [pool('new', '198.51.100.1-198.51.100.2')];
  office.mute = true;
  await assert.rejects(office.look('a'), /no answer/);
  office.mute = false;
  // What the watch has brought says already that there is no such pool.
  office.behind = read;
  office.pools = [lan];
  await assert.rejects(office.look('a'), /has changed/);
  assert.equal(await office.apply('b'), '198.51.100.2');
});

test('an address that a status still names is given to nobody, even if its holder has moved', async () => {
  const office = new Office([lan]);
  await office.apply('a');
  office.away = true;
  await assert.rejects(office.apply('a', wants('198.51.100.2')), /away/);
  office.away = false;
  assert.equal(await office.apply('b'), '');
  assert.deepEqual(office.told.at(-1), 'b PoolExhausted');
  assert.equal(await office.look('a'), '198.51.100.2');
  assert.deepEqual([...office.due], ['default/b'], 'and b is tried again at once');
  assert.equal(await office.look('b'), '198.51.100.1');
});

test('a Service that turns into a ClusterIP keeps others off its address until it is cleared', async () => {
  const office = new Office([pool('one', '198.51.100.1')]);
  await office.apply('a');
  office.away = true;
  await assert.rejects(office.apply('a', { spec: { type: 'ClusterIP' } }), /away/);
  office.away = false;
  assert.equal(await office.apply('b'), '');
  assert.equal(await office.look('a'), '');
  assert.equal(await office.look('b'), '198.51.100.1');
});

test('looking again writes nothing and tells nothing', async () => {
  const office = new Office([lan]);
  for (const name of ['a', 'b', 'c']) await office.apply(name);
  const { writes } = office;
  const told = office.told.length;
  for (const name of ['a', 'b', 'c', 'c', 'a']) await office.look(name);
  assert.equal(office.writes, writes);
  assert.equal(office.told.length, told);
});

test('those who wait are tried in the order in which they came', async () => {
  const office = new Office([lan]);
  for (const name of ['a', 'b', 'y', 'x', 'z']) await office.apply(name);
  office.remove('b');
  await office.look('z');
  assert.deepEqual([...office.due], ['default/y', 'default/x', 'default/z']);
});

const sharing = (port: number, annotations: Record<string, string> = {}): ServiceCase => ({
  annotations: { 'metallb.io/allow-shared-ip': 'key', ...annotations },
  spec: { ports: [{ port }] },
});

test('who waits for a port of a shared address is tried when that is given up, though others stay', async () => {
  const office = new Office([pool('one', '198.51.100.1')]);
  for (const [name, port] of [
    ['a', 80],
    ['b', 443],
    ['c', 53],
    ['d', 443],
    ['e', 53],
  ] as const)
    await office.apply(name, sharing(port));
  assert.deepEqual(
    ['d', 'e'].map((name) => office.ips(name)),
    ['', ''],
  );
  office.remove('b');
  assert.deepEqual([...office.due], ['default/d', 'default/e'], 'the holder is deleted');
  assert.equal(await office.look('d'), '198.51.100.1');
  office.due.clear();
  await office.apply('c', { ...sharing(53), spec: { type: 'ClusterIP' } });
  assert.deepEqual([...office.due], ['default/e'], 'the holder is no LoadBalancer any more');
});

test('who has several addresses of one family and prefers two waits for the other', async () => {
  const both = pool('both', ['198.51.100.1-198.51.100.9', '2001:db8::1-2001:db8::2']);
  const office = new Office([both]);
  const two = { 'metallb.io/address-count': '2' };
  await office.apply('a', { ...dualStack('RequireDualStack') });
  await office.apply('b', { ...dualStack('PreferDualStack'), annotations: two });
  assert.equal(office.ips('b'), '198.51.100.2 198.51.100.3');
  office.remove('a');
  assert.deepEqual([...office.due], ['default/b']);
  assert.equal(await office.look('b'), '198.51.100.2 198.51.100.3 2001:db8::1 2001:db8::2');
});

test('who breaks the conditions of sharing loses the address also where nothing else of it can be read', async () => {
  const office = new Office([lan]);
  await office.apply('a', sharing(80));
  await office.apply('b', sharing(443));
  const typo = { 'metallb.io/loadBalancerIPs': 'typo' };
  assert.equal(await office.apply('b', sharing(443, typo)), '198.51.100.1');
  assert.equal(await office.apply('b', sharing(80, typo)), '');
  assert.equal(await office.look('a'), '198.51.100.1');
});

test('who shows an address does not lose it to one who was to share it and does not show it yet', async () => {
  const office = new Office([lan]);
  await office.apply('a', sharing(443));
  office.away = true;
  await assert.rejects(office.apply('b', sharing(80)), /away/);
  office.away = false;
  await office.apply('c');
  assert.equal(
    await office.apply('a', { annotations: { 'metallb.io/allow-shared-ip': '' } }),
    '198.51.100.1',
  );
  assert.equal(await office.look('b'), '');
  assert.deepEqual([...office.due], ['default/a', 'default/b']);
  assert.equal(await office.look('a'), '198.51.100.1');
  assert.equal(office.told.at(-1), 'a IPAllocated');
});

test('of two statuses that claim one address the older Service has it, and the other moves', async () => {
  const claims = (name: string, created: string) =>
    service(name, { ips: ['198.51.100.1'], created });
  const young = claims('young', '2026-02-01T00:00:00Z');
  const office = new Office([lan], [young, claims('old', '2026-01-01T00:00:00Z')]);
  assert.equal(await office.look('young'), '198.51.100.2');
  assert.equal(await office.look('old'), '198.51.100.1');
});

test('the status of another controller stays, with or without a class of ours', async () => {
  const theirs = service('theirs', {
    ips: ['203.0.113.7'],
    spec: { loadBalancerClass: 'example.com/theirs' },
  });
  for (const lbClass of [undefined, 'example.com/ours']) {
    const office = new Office([lan], [theirs], lbClass);
    assert.equal(await office.look('theirs'), '203.0.113.7');
    assert.equal(office.writes, 0);
  }
});

const nodes = (...ips: readonly string[]): NodeWorld => ({
  nodes: ips.map((ip) => rosterNode(ip, ip)),
  servingOf: () => new Set(),
});

test('a Service with a faulty request keeps its nodes, and goes on following them', async () => {
  const office = new Office([nodePool('nodes')]);
  office.nodeWorld = nodes('198.51.100.11', '198.51.100.12');
  await office.apply('web');
  assert.equal(await office.apply('web', wants('junk')), '198.51.100.11 198.51.100.12');
  office.nodeWorld = nodes('198.51.100.11', '198.51.100.13');
  assert.equal(await office.look('web'), '198.51.100.11 198.51.100.13');
  assert.equal(office.told.at(-1), 'web AddressUnreadable');
});

test('who waits for a port of the nodes is tried when it is given back, whoever else has the nodes', async () => {
  const office = new Office([nodePool('nodes')]);
  office.nodeWorld = nodes('198.51.100.11');
  const on = (...ports: readonly number[]) => ({
    spec: { ports: ports.map((port) => ({ port })) },
  });
  await office.apply('other', on(8080));
  await office.apply('web', on(80, 443));
  assert.equal(await office.apply('shop', on(443)), '');
  await office.apply('web', on(80));
  assert.deepEqual([...office.due], ['default/shop']);
  assert.equal(await office.look('shop'), '198.51.100.11');
  assert.equal(await office.apply('late', on(80)), '');
  office.due.clear();
  office.remove('web');
  assert.deepEqual([...office.due], ['default/late']);
});

test('whatever stands in a Service gives it what it asks for or a reason, and changes no other', async () => {
  const office = new Office([lan]);
  await office.apply('good');
  const good = office.services.get('default/good');
  await fc.assert(
    fc.asyncProperty(hostileService('odd', 'default'), async (odd) => {
      office.services.set('default/odd', odd);
      await office.look('odd');
      const reading = readRequest(office.services.get('default/odd') ?? odd, undefined);
      const now = office.services.get('default/odd')?.status;
      const told = now?.conditions?.find(({ type }) => type === conditionType);
      if (reading.kind === 'faulty') assert.equal(told?.status, 'False');
      if (told?.status === 'False' && reading.kind !== 'unready' && reading.kind !== 'foreign')
        assert.ok(remedyOf(told.reason as Reason), `${told.reason} is a reason`);
      if (reading.kind === 'request' && told?.status !== 'False')
        assert.notEqual(office.ips('odd'), '', 'it has an address, or is told why not');
      const { writes } = office;
      await office.look('odd');
      assert.equal(office.writes, writes, 'once is enough');
      office.remove('odd');
      await office.look('good');
      assert.equal(office.services.get('default/good'), good);
      assert.equal(office.ledger.size, 1, 'nothing is left of it');
    }),
    { numRuns: 500 },
  );
});

// The last write of an earlier leader may arrive after its successor has read everything.
const arrivesLate = (office: Office, name: string, ...ips: string[]): Promise<string> => {
  office.services.set(`default/${name}`, service(name, { ips }));
  return office.look(name);
};

test('an address that an earlier leader gave late stays, where nobody else has it', async () => {
  const office = new Office([lan], [service('a')]);
  assert.equal(await arrivesLate(office, 'a', '198.51.100.2'), '198.51.100.2');
  assert.equal(await office.apply('b'), '198.51.100.1');
});

test('an address that an earlier leader gave late stays also where another was decided and not yet written, which is free again', async () => {
  const office = new Office([lan], [service('a')]);
  office.away = true;
  await assert.rejects(office.look('a'));
  assert.equal(office.ledger.inUse('lan').IPv4, 1);
  office.away = false;
  assert.equal(await arrivesLate(office, 'a', '198.51.100.2'), '198.51.100.2');
  assert.equal(await office.apply('b'), '198.51.100.1');
});

test('an address that an earlier leader gave late is taken back from who came second', async () => {
  const office = new Office([lan], [service('a')]);
  assert.equal(await office.apply('b'), '198.51.100.1');
  assert.equal(await arrivesLate(office, 'a', '198.51.100.1'), '198.51.100.2');
  assert.equal(await office.look('b'), '198.51.100.1');
  assert.deepEqual(office.warnings, ['an address is shown twice']);
});

test('what somebody writes over a status that is ours is put right', async () => {
  const office = new Office([lan]);
  assert.equal(await office.apply('a'), '198.51.100.1');
  assert.equal(await arrivesLate(office, 'a', '198.51.100.2'), '198.51.100.1');
});

test('who gets an address for which nobody is known to answer is told so, once', async () => {
  const office = new Office([{ ...lan, unreachable: [range('198.51.100.2')] }]);
  await office.apply('near');
  await office.apply('far');
  for (let index = 0; index < 3; index++) await office.look('far');
  assert.deepEqual(office.told, ['near IPAllocated', 'far IPAllocated', 'far UnreachableNetwork']);
  assert.equal(office.conditionOf('far')?.status, 'True');
});

describe('an address that another machine uses', () => {
  const used = (...texts: readonly string[]): Pool => {
    const foreign = strangersIn(
      lan,
      texts.map((text) => sighting(text)),
    );
    return { ...lan, ...(foreign && { foreign }) };
  };

  test('is left with an event that says why, and the Service lacks nothing then', async () => {
    const office = new Office([lan]);
    await office.apply('a');
    office.pools = [used('198.51.100.1')];
    assert.equal(await office.look('a'), '198.51.100.2');
    assert.deepEqual(office.told, ['a IPAllocated', 'a AddressQuarantined']);
    assert.equal(office.conditionOf('a')?.reason, 'IPAllocated');
    assert.equal(office.waiting.size, 0);
  });

  test('is nobody’s first choice when it is not seen any more: nobody has asked since', async () => {
    const office = new Office([lan]);
    await office.apply('a');
    office.pools = [used('198.51.100.1')];
    assert.equal(await office.look('a'), '198.51.100.2');
    office.remove('a');
    office.pools = [lan];
    assert.equal(await office.apply('b'), '198.51.100.2');
    assert.equal(await office.apply('c'), '198.51.100.1');
    office.remove('b');
    office.remove('c');
    await office.clock.advance(evasionMinutes * 60_000);
    assert.equal(await office.apply('d'), '198.51.100.1');
  });

  test('is told of where something else is wrong, too, once each time', async () => {
    const office = new Office([lan]);
    const mistaken = { annotations: { 'metallb.io/loadBalancerIPs': '2001:db8::1' } };
    await office.apply('a');
    await office.apply('a', mistaken);
    const before = office.conditionOf('a')?.message ?? '';
    for (const state of ['Contested', 'Quarantined'] as const) {
      const foreign = strangersIn(lan, [sighting('198.51.100.1', { state })]);
      office.pools = [{ ...lan, ...(foreign && { foreign }) }];
      for (let index = 0; index < 3; index++) await office.look('a');
      const { reason, message = '' } = office.conditionOf('a') ?? {};
      assert.equal(reason, 'FamilyMismatch');
      assert.ok(message.startsWith(`${before} Besides, 198.51.100.1 of pool lan is used by`));
      office.pools = [lan];
      await office.look('a');
      assert.equal(office.conditionOf('a')?.message, before);
    }
    assert.deepEqual(office.told, [
      'a IPAllocated',
      'a FamilyMismatch',
      'a AddressContested',
      'a AddressQuarantined',
    ]);
  });

  test('is kept, where it was asked for, with a condition for as long as it is seen, and one event', async () => {
    const office = new Office([lan]);
    await office.apply('a', wants('198.51.100.1'));
    office.pools = [used('198.51.100.1')];
    for (let index = 0; index < 3; index++) assert.equal(await office.look('a'), '198.51.100.1');
    const { status, reason, message = '' } = office.conditionOf('a') ?? {};
    assert.deepEqual([status, reason], ['False', 'AddressQuarantined']);
    assert.match(
      message,
      /MAC 52:54:00:00:00:99 \(seen by a on eth0\); it keeps 198\.51\.100\.1\. Take/,
    );
    office.pools = [lan];
    await office.look('a');
    assert.equal(office.conditionOf('a')?.status, 'True');
    assert.deepEqual(office.told, ['a IPAllocated', 'a AddressQuarantined', 'a IPAllocated']);
  });

  test('is left a few times in a row, and then once that is long ago', async () => {
    const office = new Office([lan]);
    await office.apply('a');
    const seen = ['198.51.100.1', '198.51.100.2'];
    let moves = 0;
    const chase = async () => {
      const before = office.ips('a');
      office.pools = [used(...seen.filter((text) => text === before))];
      const again = await reconcile('default/a', office, new AbortController().signal);
      if (office.ips('a') !== before) moves++;
      return again;
    };
    for (let index = 0; index < 10; index++) await chase();
    assert.equal(moves, mostEvasions);
    const again = await chase();
    assert.equal(again?.againAfterMs, evasionMinutes * 60_000);
    await office.clock.advance(again?.againAfterMs ?? 0);
    assert.equal(await chase(), undefined);
    assert.equal(moves, mostEvasions + 1);
  });

  test('counts as left only when that is written', async () => {
    const office = new Office([lan]);
    await office.apply('a');
    office.pools = [used('198.51.100.1')];
    office.away = true;
    for (let index = 0; index < 2 * mostEvasions; index++)
      await assert.rejects(office.look('a'), /away/);
    office.away = false;
    assert.equal(await office.look('a'), '198.51.100.2');
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../kube/object.ts';
import { refusal } from './reasons.ts';
import { changeStatus, clearStatus, conditionType } from './status.ts';
import { address, service } from './testing/town.ts';

const now = new Date('2026-02-03T04:05:06.789Z');
const one = address('198.51.100.1');
const key = 'metallb.io/ip-allocated-from-pool';
const full = refusal('PoolExhausted', 'pool lan: 1 of 1 IPv4 addresses in use');
const assigned = (name = 'a'): Service =>
  service(name, { ips: ['198.51.100.1'], annotations: { [key]: 'lan' } });

/** The Service after its patch, as far as a status goes. */
function after(before: Service, change: ReturnType<typeof changeStatus>): Service {
  const { loadBalancer, conditions } = change?.patch.status ?? {};
  const ingress = loadBalancer?.ingress ?? undefined;
  const annotations = { ...before.metadata.annotations };
  for (const [name, value] of Object.entries(change?.patch.metadata.annotations ?? {})) {
    if (value === null) delete annotations[name];
    else annotations[name] = value;
  }
  return {
    ...before,
    metadata: { ...before.metadata, annotations },
    status: {
      ...before.status,
      ...(loadBalancer === undefined ? {} : { loadBalancer: ingress ? { ingress } : {} }),
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}

test('addresses, pool and condition are one write, bound to the version that was judged', () => {
  const change = changeStatus(service('a'), { addresses: [one], pool: 'lan' }, now);
  const message = '198.51.100.1 from pool lan';
  const lastTransitionTime = '2026-02-03T04:05:06Z';
  assert.deepEqual(change, {
    patch: {
      metadata: { resourceVersion: '1', annotations: { [key]: 'lan' } },
      status: {
        loadBalancer: { ingress: [{ ip: '198.51.100.1' }] },
        conditions: [
          {
            type: conditionType,
            status: 'True',
            reason: 'IPAllocated',
            message,
            lastTransitionTime,
          },
        ],
      },
    },
    news: { type: 'Normal', reason: 'IPAllocated', message },
    warnings: [],
  });
});

test('addresses of nodes are marked as such, for who announces and for who comes after, and no others', () => {
  const mark = 'metallb.io/has-node-addresses';
  const onNodes = { addresses: [one], pool: 'nodes', onNodes: true } as const;
  const marked = after(service('a'), changeStatus(service('a'), onNodes, now));
  assert.equal(marked.metadata.annotations?.[mark], 'true');
  assert.equal(changeStatus(marked, onNodes, now), undefined);
  const moved = after(marked, changeStatus(marked, { addresses: [one], pool: 'lan' }, now));
  assert.deepEqual(moved.metadata.annotations, { [key]: 'lan' });
  assert.deepEqual(clearStatus(marked)?.metadata.annotations, { [key]: null, [mark]: null });
});

test('what is written once is not written again', () => {
  for (const standing of [
    { addresses: [one], pool: 'lan' },
    { addresses: [], pool: '', refusal: full },
    { addresses: [one], pool: 'lan', refusal: full },
  ]) {
    const before = service('a');
    const written = after(before, changeStatus(before, standing, now));
    assert.equal(changeStatus(written, standing, new Date()), undefined);
  }
});

test('a Service that another implementation left in order is not written at all', () => {
  assert.equal(changeStatus(assigned(), { addresses: [one], pool: 'lan' }, now), undefined);
});

test('a pair stays in the order in which it was written, and ipMode does not matter', () => {
  const pair = [address('2001:db8::1'), one];
  const ingress = [{ ip: '198.51.100.1', ipMode: 'VIP' as const }, { ip: '2001:db8::1' }];
  const held = { ...assigned(), status: { loadBalancer: { ingress } } };
  assert.equal(changeStatus(held, { addresses: pair, pool: 'lan' }, now), undefined);
});

test('a refusal says what is wrong, what stands meanwhile and what to do, and touches no address', () => {
  const change = changeStatus(
    assigned(),
    { addresses: [one], pool: 'lan', refusal: refusal('PoolUnknown', 'there is no pool "lna"') },
    now,
  );
  assert.equal(change?.patch.status?.loadBalancer, undefined);
  assert.deepEqual(change?.news, {
    type: 'Warning',
    reason: 'PoolUnknown',
    message:
      'there is no pool "lna"; it keeps 198.51.100.1. Create the IPAddressPool, or correct or ' +
      'remove the annotation metallb.io/address-pool.',
  });
});

test('another machine is told of once, however often the refusal beside it changes', () => {
  const standing = {
    addresses: [one],
    pool: 'lan',
    refusal: refusal('PoolUnknown', 'there is no pool "lna"'),
    stranger: refusal('AddressContested', '198.51.100.1 of pool lan is used by another machine'),
  };
  const first = changeStatus(assigned(), standing, now);
  assert.deepEqual(first?.warnings, [standing.stranger]);
  const written = after(assigned(), first);
  const next = { ...standing, refusal: refusal('PoolUnknown', 'there is no pool "nla"') };
  const second = changeStatus(written, next, now);
  assert.deepEqual([second?.news?.reason, second?.warnings], ['PoolUnknown', []]);
  assert.equal(changeStatus(after(written, second), next, now), undefined);
});

test('a new pool name is written without telling anybody', () => {
  const change = changeStatus(assigned(), { addresses: [one], pool: 'office' }, now);
  assert.deepEqual(change?.patch.metadata.annotations, { [key]: 'office' });
  assert.equal(change?.news, undefined);
});

test('the conditions of others stay, and the time changes only with the status', () => {
  const other = { type: 'example.com/Theirs', status: 'True' } as const;
  const before = { ...service('a'), status: { conditions: [other] } };
  const refused = after(
    before,
    changeStatus(before, { addresses: [], pool: '', refusal: full }, now),
  );
  const later = new Date('2027-01-01T00:00:00Z');
  const next = refusal('PoolExhausted', 'pool lan: 2 of 2 IPv4 addresses in use');
  const change = changeStatus(refused, { addresses: [], pool: '', refusal: next }, later);
  assert.deepEqual(change?.patch.status?.conditions?.[0], other);
  assert.equal(change?.patch.status?.conditions?.[1]?.lastTransitionTime, '2026-02-03T04:05:06Z');
});

// MetalLB: TestControllerMutation (a former LoadBalancer)
test('a Service that is no LoadBalancer any more is cleared of what is ours, once', () => {
  const before = { ...assigned(), spec: { type: 'ClusterIP' } };
  assert.deepEqual(clearStatus(before), {
    metadata: { resourceVersion: '1', annotations: { [key]: null } },
    status: { loadBalancer: { ingress: null } },
  });
  assert.equal(clearStatus(service('a', { spec: { type: 'ClusterIP' } })), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pool, request, service, Town } from './testing/town.ts';

const lan = pool('lan', '198.51.100.1-198.51.100.9');
const bounded = (most: number) => ({ ...lan, allocation: quotaOf(most) });
const quotaOf = (maxPerNamespace: number) => ({
  priority: 0,
  namespaces: new Set<string>(),
  namespaceSelectors: [],
  serviceSelectors: [],
  maxPerNamespace,
});
const sharing = (name: string, port: number) =>
  request(name, {
    annotations: { 'metallb.io/allow-shared-ip': 'k' },
    spec: { ...service(name).spec, ports: [{ protocol: 'TCP', port }] },
  });

test('a quota counts also what was held before there was one', () => {
  const town = new Town([lan]);
  town.serve(request('a'));
  town.serve(request('b'));
  town.pools = [bounded(2)];
  assert.equal(town.decide(request('c')).kind, 'refuse');
  town.drop('default/a');
  assert.equal(town.decide(request('c')).kind, 'assign');
});

test('an address that two Services of a namespace share counts once, until both have gone', () => {
  const town = new Town([bounded(1)]);
  town.serve(sharing('a', 80));
  assert.equal(town.serve(sharing('b', 81)), town.held('default/a'));
  town.drop('default/a');
  assert.equal(town.decide(request('c')).kind, 'refuse');
  town.drop('default/b');
  assert.equal(town.decide(request('c')).kind, 'assign');
});

test('a pool counts on under its new name', () => {
  const town = new Town([bounded(1)]);
  town.serve(request('a'));
  assert.equal(town.decide(request('b')).kind, 'refuse');
  town.pools = [{ ...bounded(1), name: 'office' }];
  town.serve(request('a'));
  assert.equal(town.decide(request('b')).kind, 'refuse');
  town.drop('default/a');
  assert.equal(town.decide(request('b')).kind, 'assign');
});

test('a namespace at its quota of one takes no two addresses by sharing', () => {
  const town = new Town([lan]);
  const foreign = (name: string, port: number) => ({
    ...sharing(name, port),
    service: `other/${name}`,
    namespace: 'other',
  });
  const open = ({ terms, ...rest }: ReturnType<typeof sharing>) => ({
    ...rest,
    terms: { ...terms, namespaces: ['*'] },
  });
  town.serve(open(foreign('x', 80)));
  town.serve(open(foreign('y', 80)));
  town.pools = [bounded(1)];
  assert.equal(town.decide({ ...open(sharing('a', 81)), count: 2 }).kind, 'refuse');
  assert.equal(town.decide(open(sharing('a', 81))).kind, 'assign');
});

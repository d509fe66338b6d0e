import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../net/address.ts';
import { formatRange, rangeContains } from '../net/range.ts';
import { selectsPool } from './advertisement.ts';
import { type Model, problemsOf, readModel } from './model.ts';
import { matches } from './selector.ts';

type Fields = Record<string, unknown>;

const address = (text: string) => {
  const parsed = parseAddress(text);
  assert.ok(parsed);
  return parsed;
};

/** An IPAddressPool as the API server sends it; `metadata` and `spec` say what matters. */
const poolObject = (name: string, spec: unknown = {}, metadata: Fields = {}) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: {
    name,
    namespace: 'metallb-system',
    creationTimestamp: '2026-11-01T00:00:00Z',
    ...metadata,
  },
  spec:
    typeof spec === 'object' && spec !== null && !Array.isArray(spec)
      ? { addresses: ['198.51.100.0/28'], autoAssign: true, avoidBuggyIPs: false, ...spec }
      : spec,
});

const advertisementObject = (name: string, spec: unknown = {}, metadata: Fields = {}) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'L2Advertisement',
  metadata: { name, namespace: 'metallb-system', ...metadata },
  spec,
});

const everywhere = advertisementObject('everywhere');

const read = (pools: readonly unknown[], advertisements: readonly unknown[] = [everywhere]) =>
  readModel({ pools, advertisements });

function poolIn(model: Model, name: string) {
  const pool = model.pools.find((candidate) => candidate.name === name);
  assert.ok(pool, `there is no pool ${name}`);
  return pool;
}

const rangesOf = (model: Model, name: string) => poolIn(model, name).ranges.map(formatRange);

const toldIn = (model: Model) =>
  model.problems.map(({ name, reason, detail }) => `${name} ${reason}: ${detail}`);

describe('a pool', () => {
  it('is read with its defaults', () => {
    const model = read([{ ...poolObject('lan'), spec: { addresses: ['198.51.100.0/28'] } }]);
    assert.deepEqual(toldIn(model), []);
    const pool = poolIn(model, 'lan');
    assert.equal(pool.autoAssign, true);
    assert.equal(pool.avoidBuggyIPs, false);
    assert.equal(pool.allocation, undefined);
    assert.equal(pool.closed, undefined);
  });

  it('has its ranges in address order, of both families', () => {
    const addresses = ['2001:db8::/126', '198.51.100.9-198.51.100.10', '198.51.100.4/31'];
    assert.deepEqual(rangesOf(read([poolObject('lan', { addresses })]), 'lan'), [
      '198.51.100.4-198.51.100.5',
      '198.51.100.9-198.51.100.10',
      '2001:db8::-2001:db8::3',
    ]);
  });

  it('says whom it is for', () => {
    const serviceAllocation = {
      priority: 10,
      namespaces: ['shop'],
      namespaceSelectors: [{ matchLabels: { team: 'a' } }],
      serviceSelectors: [{ matchExpressions: [{ key: 'public', operator: 'Exists' }] }],
    };
    const { allocation } = poolIn(read([poolObject('lan', { serviceAllocation })]), 'lan');
    assert.ok(allocation);
    assert.equal(allocation.priority, 10);
    assert.deepEqual([...allocation.namespaces], ['shop']);
    assert.ok(allocation.namespaceSelectors.some((one) => matches(one, { team: 'a' })));
    assert.ok(allocation.serviceSelectors.some((one) => matches(one, { public: '' })));
  });

  it('with an allocation of nothing but a priority is for everybody', () => {
    const { allocation } = poolIn(
      read([poolObject('lan', { serviceAllocation: { priority: 3 } })]),
      'lan',
    );
    assert.deepEqual(allocation, {
      priority: 3,
      namespaces: new Set(),
      namespaceSelectors: [],
      serviceSelectors: [],
    });
  });
});

describe('a pool of the nodes themselves', () => {
  const ofNodes = (spec: Fields, nodes: unknown = {}) =>
    poolObject('nodes', { addresses: undefined, nodes, ...spec });

  it('means every node, and keeps back what their machines need', () => {
    const { nodes, ranges } = poolIn(read([ofNodes({})]), 'nodes');
    assert.ok(nodes);
    assert.deepEqual([nodes.selector, nodes.addressType, ranges], [[], 'InternalIP', []]);
    assert.ok([22, 6443, 10250].every((port) => nodes.reservedPorts.has(port)));
    assert.ok(!nodes.reservedPorts.has(80));
  });

  it('says which nodes, which of their addresses, and which ports they keep', () => {
    const written = {
      selector: { matchLabels: { edge: 'true' } },
      addressType: 'ExternalIP',
      reservedPorts: [8443],
    };
    const { nodes } = poolIn(read([ofNodes({}, written)]), 'nodes');
    assert.ok(nodes);
    assert.ok(matches(nodes.selector, { edge: 'true' }) && !matches(nodes.selector, {}));
    assert.deepEqual([nodes.addressType, [...nodes.reservedPorts]], ['ExternalIP', [8443]]);
  });

  it('needs no advertisement: nodes answer for what is theirs', () => {
    assert.deepEqual(toldIn(read([ofNodes({})], [])), []);
  });

  for (const [field, value] of Object.entries({
    addresses: ['198.51.100.0/28'],
    exclude: ['198.51.100.1'],
    pinning: 'Reserved',
    reservations: [],
    serviceAllocation: { maxPerNamespace: 1 },
  })) {
    it(`takes no ${field}, which is about ranges, and is closed until it is gone`, () => {
      const model = read([ofNodes({ [field]: value })]);
      assert.match(
        toldIn(model).join(),
        /^nodes InvalidField: spec\.\S+ stands beside spec\.nodes/,
      );
      assert.ok(poolIn(model, 'nodes').closed);
    });
  }

  it('with a faulty selector means no node, not every one', () => {
    const model = read([ofNodes({}, { selector: { matchLabels: { 'a b': 'c' } } })]);
    assert.match(
      toldIn(model).join(),
      /^nodes InvalidSelector: spec\.nodes\.selector\.matchLabels/,
    );
    assert.equal(poolIn(model, 'nodes').nodes, undefined);
    assert.ok(poolIn(model, 'nodes').closed);
  });

  it('made faulty goes on with the nodes that it meant before', () => {
    const before = read([ofNodes({}, { selector: { matchLabels: { edge: 'true' } } })]);
    const faulty = { pools: [ofNodes({}, { selector: 7 })], advertisements: [] };
    const pool = poolIn(readModel(faulty, before), 'nodes');
    assert.ok(pool.closed && pool.nodes && matches(pool.nodes.selector, { edge: 'true' }));
  });
});

describe('an advertisement', () => {
  it('without a spec is for every pool', () => {
    const model = read([poolObject('lan')], [advertisementObject('all', undefined)]);
    assert.deepEqual(toldIn(model), []);
    assert.ok(model.advertisements.every((one) => selectsPool(one, poolIn(model, 'lan'))));
  });

  it('selects pools by name or by label', () => {
    const named = advertisementObject('named', { ipAddressPools: ['lan'] });
    const labelled = advertisementObject('labelled', {
      ipAddressPoolSelectors: [{ matchLabels: { zone: 'dmz' } }],
    });
    const model = read(
      [
        poolObject('dmz', { addresses: ['203.0.113.0/28'] }, { labels: { zone: 'dmz' } }),
        poolObject('lan'),
      ],
      [named, labelled],
    );
    const selected = model.advertisements.map(({ name, ...rest }) => [
      name,
      model.pools.filter((pool) => selectsPool({ name, ...rest }, pool)).map((pool) => pool.name),
    ]);
    assert.deepEqual(selected, [
      ['labelled', ['dmz']],
      ['named', ['lan']],
    ]);
  });

  it('carries nodes, interfaces, Services and preferences', () => {
    const model = read(
      [poolObject('lan')],
      [
        advertisementObject('edge', {
          nodeSelectors: [{ matchLabels: { edge: 'true' } }],
          interfaces: ['eth0', 'eth1'],
          serviceSelectors: [{}],
          preferredNodeSelectors: [{ weight: 40, preference: { matchLabels: { fast: 'yes' } } }],
        }),
      ],
    );
    const [advertisement] = model.advertisements;
    assert.ok(advertisement);
    assert.deepEqual(advertisement.interfaces, ['eth0', 'eth1']);
    assert.equal(advertisement.nodeSelectors.length, 1);
    assert.equal(advertisement.serviceSelectors.length, 1);
    assert.equal(advertisement.preferredNodes[0]?.weight, 40);
  });

  it('of an unknown pool still works for the others, and says so', () => {
    const model = read(
      [poolObject('lan')],
      [advertisementObject('l2', { ipAddressPools: ['lan', 'lab'] })],
    );
    assert.deepEqual(toldIn(model), [
      'l2 UnknownPool: spec.ipAddressPools[1] names "lab", and there is no such pool (there are "lan"): correct the name or create the pool',
    ]);
    assert.ok(model.advertisements.some((one) => selectsPool(one, poolIn(model, 'lan'))));
  });
});

describe('a faulty pool', () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    [
      'without a spec',
      null,
      'InvalidField: spec is null: write fields, indented under it|' +
        'InvalidAddresses: spec.addresses is missing: list the addresses to hand out, like 198.51.100.224/28',
    ],
    [
      'without addresses',
      { addresses: [] },
      'InvalidAddresses: spec.addresses is empty: list the addresses to hand out, like 198.51.100.224/28',
    ],
    [
      'with addresses that are no list',
      { addresses: '198.51.100.0/28' },
      'InvalidAddresses: spec.addresses is the string "198.51.100.0/28": list the addresses to hand out, like 198.51.100.224/28',
    ],
    [
      'with several unreadable addresses',
      { addresses: ['198.51.100.7', '198.51.100.8/32', 9] },
      'InvalidAddresses: spec.addresses[0]: "198.51.100.7" is a bare address: write 198.51.100.7/32|' +
        'InvalidAddresses: spec.addresses[2] is the number 9: write text like 198.51.100.224/28',
    ],
    [
      'that overlaps itself',
      { addresses: ['198.51.100.8-198.51.100.20', '198.51.100.0/28'] },
      'OverlappingRanges: spec.addresses[0] ("198.51.100.8-198.51.100.20") and spec.addresses[1] ("198.51.100.0/28") share 198.51.100.8-198.51.100.15: take it out of one of them',
    ],
    [
      'with fields of the wrong type',
      { autoAssign: 'yes', serviceAllocation: { priority: 1.5, namespaces: ['a', 7] } },
      'InvalidField: spec.autoAssign is the string "yes": write true or false|' +
        'InvalidField: spec.serviceAllocation.priority is the number 1.5: write a whole number|' +
        'InvalidField: spec.serviceAllocation.namespaces[1] is the number 7: write text',
    ],
    [
      'with a selector nobody can match',
      { serviceAllocation: { namespaceSelectors: [{}, { matchLabels: { a: 5 } }] } },
      'InvalidSelector: spec.serviceAllocation.namespaceSelectors[1].matchLabels["a"] is the number 5: label values are text, put it in quotes',
    ],
  ];
  for (const [what, spec, told] of cases) {
    it(`${what} is closed and says why`, () => {
      const model = read([poolObject('lan', spec)]);
      const expected = told.split('|').map((text) => `lan ${text}`);
      assert.deepEqual(toldIn(model), expected);
      assert.deepEqual(poolIn(model, 'lan').closed, model.problems[0]);
    });
  }

  it('keeps the form it had before the edit, with all that it handed out', () => {
    const before = read([poolObject('lan', { serviceAllocation: { namespaces: ['shop'] } })]);
    const edited = poolObject('lan', { addresses: ['198.51.100.0/28', 'oops'] });
    let model = readModel({ pools: [edited], advertisements: [everywhere] }, before);
    // However often it is read again.
    model = readModel({ pools: [edited], advertisements: [everywhere] }, model);
    const { closed, ...pool } = poolIn(model, 'lan');
    assert.equal(closed?.reason, 'InvalidAddresses');
    assert.deepEqual(pool, poolIn(before, 'lan'));
  });

  it('that was never read before keeps the addresses that can be read', () => {
    const model = read([poolObject('lan', { addresses: ['oops', '198.51.100.8/30', '8'] })]);
    assert.deepEqual(rangesOf(model, 'lan'), ['198.51.100.8-198.51.100.11']);
  });

  it('that overlaps itself and was never read before keeps all of its addresses', () => {
    const addresses = ['198.51.100.8-198.51.100.20', '198.51.100.0/28', '198.51.100.4/31'];
    const model = read([poolObject('lan', { addresses })]);
    assert.deepEqual(rangesOf(model, 'lan'), ['198.51.100.0-198.51.100.20']);
    assert.equal(poolIn(model, 'lan').closed?.reason, 'OverlappingRanges');
  });

  it('that was never read before and has a faulty allocation turns no holder away', () => {
    const serviceAllocation = { namespaces: ['shop'], namespaceSelectors: [7] };
    const pool = poolIn(read([poolObject('lan', { serviceAllocation })]), 'lan');
    assert.equal(pool.allocation, undefined);
    assert.equal(pool.closed?.reason, 'InvalidSelector');
  });

  it('opens again when it is mended', () => {
    const broken = read([poolObject('lan', { addresses: ['oops'] })]);
    const model = readModel({ pools: [poolObject('lan')], advertisements: [everywhere] }, broken);
    assert.deepEqual(model, read([poolObject('lan')]));
  });

  it('is still known to the advertisements that name it', () => {
    const model = read(
      [poolObject('lan', { addresses: ['oops'] })],
      [advertisementObject('l2', { ipAddressPools: ['lan'] })],
    );
    assert.deepEqual(
      model.problems.map(({ reason }) => reason),
      ['InvalidAddresses'],
    );
  });
});

describe('a faulty advertisement', () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['that is no object', 7, 'InvalidField: spec is the number 7: write fields, indented under it'],
    [
      'with pools that are no list',
      { ipAddressPools: 'lan' },
      'InvalidField: spec.ipAddressPools is the string "lan": write a list',
    ],
    [
      'with a weight out of bounds',
      { preferredNodeSelectors: [{ weight: 101, preference: {} }] },
      'InvalidField: spec.preferredNodeSelectors[0].weight is the number 101: write 100 or less',
    ],
    [
      'with a preference for nothing',
      { preferredNodeSelectors: [{ weight: 1 }] },
      'InvalidSelector: spec.preferredNodeSelectors[0].preference is missing: write matchLabels, matchExpressions or both',
    ],
    [
      'with an operator in lower case',
      { nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'exists' }] }] },
      'InvalidSelector: spec.nodeSelectors[0].matchExpressions[0].operator is the string "exists": write In, NotIn, Exists or DoesNotExist',
    ],
    [
      'with selectors that are no list',
      { nodeSelectors: { matchLabels: { a: 'b' } } },
      'InvalidSelector: spec.nodeSelectors is an object: write a list',
    ],
  ];
  for (const [what, spec, told] of cases) {
    it(`${what} says why, and announces nothing it cannot be sure of`, () => {
      const model = read([poolObject('lan')], [everywhere, advertisementObject('l2', spec)]);
      assert.deepEqual(toldIn(model), [`l2 ${told}`]);
      assert.deepEqual(
        model.advertisements.map(({ name }) => name),
        ['everywhere'],
      );
    });
  }

  it('announces as it did before the edit', () => {
    const pools = [poolObject('lan')];
    const before = read(pools, [advertisementObject('l2', { interfaces: ['eth0'] })]);
    const advertisements = [advertisementObject('l2', { interfaces: ['eth0', 7] })];
    const model = readModel({ pools, advertisements }, before);
    assert.deepEqual(model.advertisements, before.advertisements);
    assert.equal(model.problems.length, 1);
  });
});

describe('pools that overlap', () => {
  const older = { creationTimestamp: '2026-11-01T00:00:00Z' };
  const younger = { creationTimestamp: '2026-11-02T00:00:00Z' };
  const wide = { addresses: ['198.51.100.0/24'] };
  const narrow = { addresses: ['198.51.100.250-198.51.101.5'] };

  it('leave the older whole and close the younger, whose addresses stay its own', () => {
    const model = read([poolObject('a', wide, younger), poolObject('z', narrow, older)]);
    assert.equal(poolIn(model, 'z').closed, undefined);
    assert.equal(poolIn(model, 'a').closed?.reason, 'OverlappingPools');
    assert.ok(
      poolIn(model, 'a').ranges.some((range) => rangeContains(range, address('198.51.100.7'))),
    );
    assert.deepEqual(toldIn(model), [
      'a OverlappingPools: spec.addresses shares 198.51.100.250-198.51.100.255 with the older pool "z": ' +
        'take it out of one of the two; until then this pool hands out nothing new, and what it has handed out stays',
    ]);
  });

  it('of the same second are told apart by name', () => {
    const model = read([poolObject('b', wide, older), poolObject('a', narrow, older)]);
    assert.equal(poolIn(model, 'a').closed, undefined);
    assert.equal(poolIn(model, 'b').closed?.reason, 'OverlappingPools');
  });

  it('are not closed by one that hands out nothing itself', () => {
    const last = { creationTimestamp: '2026-11-03T00:00:00Z' };
    const everything = { addresses: ['0.0.0.0/0'] };
    const far = { addresses: ['203.0.113.0/28'] };
    const open = ({ pools }: Model) =>
      pools.flatMap(({ name, closed }) => (closed === undefined ? [name] : []));
    const overlapping = [
      poolObject('first', wide, older),
      poolObject('everything', everything, younger),
      poolObject('last', far, last),
    ];
    assert.deepEqual(open(read(overlapping)), ['first', 'last']);
    const faulty = poolObject('everything', { ...everything, autoAssign: 'yes' }, older);
    assert.deepEqual(open(read([faulty, poolObject('last', far, last)])), ['last']);
  });

  it('open again when the overlap is taken away', () => {
    const overlapping = read([poolObject('a', wide, younger), poolObject('z', narrow, older)]);
    const pools = [poolObject('a', wide, younger)];
    const model = readModel({ pools, advertisements: [everywhere] }, overlapping);
    assert.equal(poolIn(model, 'a').closed, undefined);
  });
});

describe('a model', () => {
  it('reports a pool that nobody announces, and keeps it open', () => {
    const model = read([poolObject('lan')], []);
    assert.equal(poolIn(model, 'lan').closed, undefined);
    assert.deepEqual(toldIn(model), [
      'lan NoAdvertisement: no L2Advertisement selects this pool, so its addresses are assigned but nobody answers for them: ' +
        'create an L2Advertisement that has "lan" in spec.ipAddressPools, or one without pools, which is for all',
    ]);
  });

  it('leaves out objects of other namespaces and tells them', () => {
    const stray = poolObject('lan', {}, { namespace: 'default' });
    const model = read([stray, poolObject('lan')]);
    assert.equal(model.pools.length, 1);
    assert.deepEqual(
      problemsOf(model, { kind: 'IPAddressPool', namespace: 'default', name: 'lan' }).map(
        ({ reason, detail }) => `${reason}: ${detail}`,
      ),
      [
        'WrongNamespace: the object is in namespace "default", where nobody reads it: ' +
          'create it in namespace "metallb-system" and delete this one',
      ],
    );
    const about = { kind: 'IPAddressPool', namespace: 'metallb-system', name: 'lan' } as const;
    assert.deepEqual(problemsOf(model, about), []);
  });

  it('reads the namespace it is told to', () => {
    const pools = [poolObject('lan', {}, { namespace: 'lb' })];
    const advertisements = [advertisementObject('l2', {}, { namespace: 'lb' })];
    const model = readModel({ pools, advertisements, namespace: 'lb' });
    assert.deepEqual(toldIn(model), []);
    assert.equal(model.pools.length, 1);
  });

  it('takes thousands of pools side by side', () => {
    const pools = Array.from({ length: 2_000 }, (_, index) =>
      poolObject(`pool-${index}`, { addresses: [`10.${index >> 8}.${index & 255}.0/24`] }),
    );
    assert.deepEqual(toldIn(read(pools)), []);
  });
});

describe('readModel, whatever comes in,', () => {
  const valid = {
    pools: [
      poolObject('dmz', { addresses: ['203.0.113.0/24'] }, { labels: { zone: 'dmz' } }),
      poolObject('lan', { addresses: ['198.51.100.0/25', '2001:db8::/64'] }),
    ],
    advertisements: [
      advertisementObject('dmz', { ipAddressPoolSelectors: [{ matchLabels: { zone: 'dmz' } }] }),
      advertisementObject('lan', { ipAddressPools: ['lan'] }),
    ],
  };

  const fieldName = fc.constantFrom(
    'addresses',
    'autoAssign',
    'serviceAllocation',
    'ipAddressPools',
    'nodeSelectors',
    'preferredNodeSelectors',
    'matchLabels',
    'matchExpressions',
    'weight',
    'preference',
    'namespaces',
    'labels',
    // What breaks a careless reader: names that mean something to JavaScript itself.
    '__proto__',
    'constructor',
    'toString',
    'toJSON',
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fieldName, tie('json'), { maxKeys: 4 }),
    ),
  }));
  /** From any JSON at all to an object of ours whose spec is anything. */
  const junk = fc.oneof(
    json,
    fc.tuple(fc.nat({ max: 99 }), json, json).map(([number, spec, labels]) => ({
      metadata: { name: `junk-${number}`, namespace: 'metallb-system', labels },
      spec,
    })),
  );
  const junkList = fc.uniqueArray(junk, {
    maxLength: 4,
    selector: (object) => readName(object) ?? JSON.stringify(object),
  });

  function readName(object: unknown): string | undefined {
    return /"name":"(junk-\d+)"/.exec(JSON.stringify(object))?.[1];
  }

  it('does not throw, and what one object says changes nothing for another', () => {
    const alone = readModel(valid);
    fc.assert(
      fc.property(junkList, junkList, (pools, advertisements) => {
        const model = readModel({
          pools: [...pools, ...valid.pools],
          advertisements: [...advertisements, ...valid.advertisements],
        });
        for (const pool of alone.pools) assert.deepEqual(poolIn(model, pool.name), pool);
        for (const { name } of valid.advertisements.map(({ metadata }) => metadata)) {
          assert.deepEqual(
            model.advertisements.find((one) => one.name === name),
            alone.advertisements.find((one) => one.name === name),
          );
          const about = { namespace: 'metallb-system', name };
          assert.deepEqual(problemsOf(model, { kind: 'IPAddressPool', ...about }), []);
          assert.deepEqual(problemsOf(model, { kind: 'L2Advertisement', ...about }), []);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order of the objects', () => {
    const all = fc.array(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        first: fc.nat({ max: 200 }),
        day: fc.integer({ min: 1, max: 3 }),
        broken: fc.boolean(),
      }),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(all, (written) => {
        const pools = [...new Map(written.map((one) => [one.name, one])).values()].map((one) =>
          poolObject(
            one.name,
            {
              addresses: [
                `198.51.100.${one.first}-198.51.100.255`,
                one.broken ? 'oops' : '203.0.113.1/32',
              ],
            },
            { creationTimestamp: `2026-11-0${one.day}T00:00:00Z` },
          ),
        );
        const { advertisements } = valid;
        assert.deepEqual(
          readModel({ pools: pools.toReversed(), advertisements: advertisements.toReversed() }),
          readModel({ pools, advertisements }),
        );
      }),
    );
  });

  it('says the same when it reads the same again', () => {
    fc.assert(
      fc.property(junkList, junkList, (pools, advertisements) => {
        const model = readModel({ pools, advertisements });
        assert.deepEqual(readModel({ pools, advertisements }, model), model);
      }),
      { numRuns: 300 },
    );
  });

  it('gives every pool sorted ranges that do not meet', () => {
    const addresses = fc.array(
      fc.oneof(
        fc
          .tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 }))
          .map(([a, b]) => `198.51.100.${a}-198.51.100.${b}`),
        fc.integer({ min: 24, max: 32 }).map((length) => `198.51.100.128/${length}`),
        fc.string(),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(addresses, (written) => {
        const { ranges } = poolIn(read([poolObject('lan', { addresses: written })]), 'lan');
        for (const [index, range] of ranges.entries()) {
          const next = ranges[index + 1];
          if (next !== undefined) assert.ok(range.last < next.first);
        }
      }),
    );
  });
});

/** Our kinds as the real API server takes them: what it refuses, keeps, explains and prints. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { until } from '../../daemon/testing/until.ts';
import { fromRoot } from '../lab/programs.ts';
import { readdirSync } from 'node:fs';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { needsPrograms } from './programs.ts';

const needs = await needsPrograms('etcd', 'kube-apiserver', 'kubectl');

const namespace = 'metallb-system';
const apiVersion = 'metallb.io/v1beta1';
/** A pool with these fields in its spec. */
const pool = (spec: object, name = 'bad'): object => ({
  apiVersion,
  kind: 'IPAddressPool',
  metadata: { name, namespace },
  spec,
});
const advertisement = (spec: object): object => ({ ...pool(spec), kind: 'L2Advertisement' });
const allocation = (serviceAllocation: object): object =>
  pool({ addresses: ['198.51.100.0/24'], serviceAllocation });
const at = (index: number, text: string): string =>
  `spec.addresses[${index}]: Invalid value: ${text}`;
const says = (written: string, message: string): string => at(0, `"${written}": ${message}`);

const writeIPv4 =
  'write an IPv4 network like 198.51.100.224/28 (prefix length up to 32) or a range like 198.51.100.200-198.51.100.219 (both addresses in full)';
const writeIPv6 =
  'write an IPv6 network like 2001:db8::/120 (prefix length up to 128) or a range like 2001:db8::1-2001:db8::ff (both addresses in full, both IPv6)';

const wrongAddresses: Readonly<Record<string, string>> = {
  '198.51.100.7': '198.51.100.7 is a bare address: write 198.51.100.7/32',
  '2001:db8::7': '2001:db8::7 is a bare address: write 2001:db8::7/128',
  '198.51.100.219-198.51.100.200':
    '198.51.100.219-198.51.100.200 runs backwards: write 198.51.100.200-198.51.100.219',
  '198.51.100.10 - 198.51.100.9':
    '198.51.100.10 - 198.51.100.9 runs backwards: write 198.51.100.9-198.51.100.10',
  '198.51.100.0-198.50.255.255':
    '198.51.100.0-198.50.255.255 runs backwards: write 198.50.255.255-198.51.100.0',
  junk: writeIPv4,
  '': writeIPv4,
  '198.51.100.0/24, 203.0.113.0/24': writeIPv4,
  '198.51.100.256/28': writeIPv4,
  '198.51.100.0/33': writeIPv4,
  '198.51.100.0/024': writeIPv4,
  '198.51.100/24': writeIPv4,
  '198.51.100.200-219': writeIPv4,
  '2001:db8::/129': writeIPv6,
  '2001:db8::/64-2001:db8::ff': writeIPv6,
  '198.51.100.1-2001:db8::1': writeIPv6,
  'fe80::1%eth0/64': writeIPv6,
};

const eitherOr =
  'give either spec.addresses (what to hand out) or spec.nodes (the nodes themselves), and not both';

type Case = readonly [what: string, object: object, says: string];

/** What a single object can show wrong, and what the person who wrote it reads. */
const refused: readonly Case[] = [
  ...Object.entries(wrongAddresses).map(([written, message]): Case => [
    `"${written}"`,
    pool({ addresses: [written] }),
    says(written, message),
  ]),
  [
    'the second of two addresses',
    pool({ addresses: ['198.51.100.0/24', '203.0.113.7'] }),
    at(1, '"203.0.113.7": 203.0.113.7 is a bare address: write 203.0.113.7/32'),
  ],
  [
    'an address twice',
    pool({ addresses: ['198.51.100.0/24', '198.51.100.0/24'] }),
    'spec.addresses[1]: Duplicate value: "198.51.100.0/24"',
  ],
  ['neither addresses nor nodes', pool({}), eitherOr],
  ['both addresses and nodes', pool({ addresses: ['198.51.100.0/24'], nodes: {} }), eitherOr],
  ...[
    { exclude: ['198.51.100.1'] },
    { pinning: 'Reserved' },
    { serviceAllocation: { maxPerNamespace: 2 } },
  ].map((beside): Case => [
    `${Object.keys(beside).join()} beside nodes`,
    pool({ nodes: {}, ...beside }),
    'exclude, reservations, pinning and maxPerNamespace are about spec.addresses: leave them out beside spec.nodes',
  ]),
  [
    'a type of address that no node has',
    pool({ nodes: { addressType: 'Hostname' } }),
    'spec.nodes.addressType: Unsupported value: "Hostname": supported values: "InternalIP", "ExternalIP"',
  ],
  [
    'an empty list of addresses',
    pool({ addresses: [] }),
    'spec.addresses: Invalid value: 0: spec.addresses in body should have at least 1 items',
  ],
  [
    'addresses that are no list',
    pool({ addresses: '198.51.100.0/24' }),
    'spec.addresses: Invalid value: "string": spec.addresses in body must be of type array: "string"',
  ],
  [
    'a text for a switch',
    pool({ addresses: ['198.51.100.0/24'], autoAssign: 'no' }),
    'spec.autoAssign: Invalid value: "string": spec.autoAssign in body must be of type boolean: "string"',
  ],
  [
    'a fraction for a priority',
    allocation({ priority: 1.5 }),
    'spec.serviceAllocation.priority: Invalid value: "number": spec.serviceAllocation.priority in body must be of type integer: "number"',
  ],
  [
    'a namespace twice',
    allocation({ namespaces: ['shop', 'shop'] }),
    'spec.serviceAllocation.namespaces[1]: Duplicate value: "shop"',
  ],
  [
    'an operator that needs values and has none',
    allocation({ serviceSelectors: [{ matchExpressions: [{ key: 'tier', operator: 'NotIn' }] }] }),
    'In and NotIn need at least one value',
  ],
  [
    'an operator with values that takes none',
    advertisement({
      nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'Exists', values: ['a'] }] }],
    }),
    'Exists and DoesNotExist take none, leave values out',
  ],
  [
    'an operator that does not exist',
    advertisement({ nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'Near' }] }] }),
    'operator: Unsupported value: "Near": supported values: "In", "NotIn", "Exists", "DoesNotExist"',
  ],
  [
    'an interface twice',
    advertisement({ interfaces: ['eth0', 'eth0'] }),
    'spec.interfaces[1]: Duplicate value: "eth0"',
  ],
  [
    'a pool twice',
    advertisement({ ipAddressPools: ['lan', 'lan'] }),
    'spec.ipAddressPools[1]: Duplicate value: "lan"',
  ],
  [
    'a weight over 100',
    advertisement({ preferredNodeSelectors: [{ weight: 101, preference: {} }] }),
    'spec.preferredNodeSelectors[0].weight: Invalid value: 101: spec.preferredNodeSelectors[0].weight in body should be less than or equal to 100',
  ],
  [
    'a misspelt field',
    pool({ addresses: ['198.51.100.0/24'], autoassign: false }),
    'unknown field "spec.autoassign"',
  ],
];

suite('our kinds on Kubernetes', needs, () => {
  let plane: ControlPlane;
  const kubectl = async (args: readonly string[], object?: object): Promise<string> => {
    const input = object === undefined ? {} : { input: JSON.stringify(object) };
    const { code, stdout, stderr } = await plane.kubectl(args, input);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  before(async () => {
    plane = await openControlPlane({ controllers: false });
    await kubectl(['create', 'namespace', namespace]);
    await kubectl(['apply', '--server-side', '-k', fromRoot('crds')]);
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s']);
    // The server publishes the schema of a new kind a moment after it serves the kind.
    await until('they are explained', () => kubectl(['explain', 'servicel2statuses.status']));
  });
  after(() => plane?.[Symbol.asyncDispose]());

  for (const [what, object, message] of refused) {
    test(`${what} is refused, saying what to write`, async () => {
      const args = ['create', '--dry-run=server', '--filename=-'];
      const { code, stderr } = await plane.kubectl(args, { input: JSON.stringify(object) });
      assert.equal(code, 1, 'it was taken');
      assert.ok(stderr.includes(message), stderr);
      // One fault, one message: a second one would only lead astray.
      const faults = stderr.split('\n').filter((line) => /(Invalid|Duplicate) value/.test(line));
      assert.ok(faults.filter((line) => !line.includes('<nil>:')).length <= 1, stderr);
    });
  }

  test('what MetalLB takes is taken', async () => {
    const addresses = [
      '198.51.100.0/24',
      '198.51.101.77/25',
      '203.0.113.1-203.0.113.9',
      ' 203.0.113.20 - 203.0.113.29 ',
      '203.0.113.40-203.0.113.40',
      '2001:db8::/64',
      '2001:DB8:1::1-2001:db8:1::ff',
    ];
    await kubectl(['create', '--filename=-'], pool({ addresses }, 'many'));
    const stored = JSON.parse(
      await kubectl(['get', '-n', namespace, 'ipaddresspool/many', '-o=json']),
    );
    assert.deepEqual(stored.spec, { addresses, autoAssign: true, avoidBuggyIPs: false });
  });

  test('a pool goes from nodes to addresses and back, by either way of applying', async () => {
    const nodes = { selector: { matchLabels: { edge: 'true' } }, addressType: 'InternalIP' };
    for (const how of [[], ['--server-side', '--force-conflicts']]) {
      const name = `changes-${how.length}`;
      for (const spec of [{ nodes }, { addresses: ['203.0.113.128/28'] }, { nodes: {} }]) {
        await kubectl(['apply', ...how, '--filename=-'], pool(spec, name));
        const args = ['get', '-n', namespace, `ipaddresspool/${name}`, '-o=json'];
        const stored = JSON.parse(await kubectl(args));
        assert.deepEqual(stored.spec, { ...spec, autoAssign: true, avoidBuggyIPs: false });
      }
    }
  });

  test('what no schema knows is not kept', async () => {
    const args = ['create', '--validate=ignore', '--filename=-'];
    await kubectl(args, pool({ addresses: ['203.0.113.64/28'], colour: 'red' }, 'pruned'));
    const stored = await kubectl(['get', '-n', namespace, 'ipaddresspool/pruned', '-o=yaml']);
    assert.doesNotMatch(stored, /colour/);
  });

  test('every field is explained', async () => {
    for (const kind of ['ipaddresspools', 'l2advertisements', 'servicel2statuses']) {
      const explained = await kubectl(['explain', '--recursive', kind]);
      assert.ok(explained.split('\n').length > 20, explained);
    }
    const { code, stdout, stderr } = await plane.kubectl([
      'get',
      '--raw',
      '/openapi/v3/apis/metallb.io/v1beta1',
    ]);
    assert.equal(code, 0, stderr);
    const { components } = JSON.parse(stdout) as { components: { schemas: Record<string, Field> } };
    const fields = Object.entries(components.schemas)
      .filter(([name]) => name.startsWith('io.metallb.') && !name.endsWith('List'))
      .flatMap(([name, schema]) => [...fieldsUnder(schema, name.split('.').at(-1) ?? '')]);
    assert.ok(fields.length > 60, `${fields.length}`);
    assert.deepEqual(
      fields.filter(([, { description = '' }]) => description === '').map(([path]) => path),
      [],
    );
  });

  test('kubectl get shows what a person asks first', async () => {
    const header = async (kind: string, ...more: readonly string[]): Promise<string[]> =>
      (await kubectl(['get', '-A', kind, ...more])).split('\n')[0]?.split(/\s{2,}/) ?? [];
    assert.deepEqual(await header('ipaddresspools'), [
      'NAMESPACE',
      'NAME',
      'ADDRESSES',
      'AUTO ASSIGN',
      'IN USE',
      'READY NODES',
      'PROBLEM',
      'AGE',
    ]);
    const status = {
      node: 'node-1',
      serviceName: 'web',
      serviceNamespace: 'default',
      addresses: ['198.51.100.7', '2001:db8::7'],
      since: '2026-11-21T00:00:00Z',
      moves: 3,
    };
    const l2 = { apiVersion, kind: 'ServiceL2Status', metadata: { name: 'l2', namespace } };
    await kubectl(['create', '--filename=-'], l2);
    await kubectl([
      'patch',
      '-n',
      namespace,
      'servicel2status/l2',
      '--subresource=status',
      '--type=merge',
      `--patch=${JSON.stringify({ status })}`,
    ]);
    const [names = '', values = ''] = (await kubectl(['get', '-A', 'servicel2statuses'])).split(
      '\n',
    );
    assert.match(
      names,
      /^NAMESPACE +NAME +HOLDER +ADDRESS +SERVICE +SERVICE NAMESPACE +SINCE +MOVES$/,
    );
    assert.match(values, /node-1 +198\.51\.100\.7 +web +default +\S+ +3$/);
  });

  test('kubectl get shows how much of a pool is in use, and whose machine uses its addresses', async () => {
    const write = async (kind: string, name: string, status: object): Promise<string> => {
      const written = ['--type=merge', '--subresource=status', '-n', namespace];
      await kubectl(['patch', `${kind}/${name}`, ...written, `-p=${JSON.stringify({ status })}`]);
      return await kubectl(['get', '-n', namespace, kind, name]);
    };
    await kubectl(['create', '--filename=-'], pool({ addresses: ['2001:db8::/120'] }, 'six'));
    assert.match(await write('ipaddresspools', 'six', { inUse: '1 of 256' }), / 1 of 256 /);
    const since = '2026-11-21T00:00:00Z';
    const foreign = ['198.51.100.7', '198.51.100.8'].map((address, index) => ({
      address,
      mac: `52:54:00:00:00:0${index + 1}`,
      since,
      state: 'Quarantined',
    }));
    const metadata = { name: 'node-1', namespace };
    await kubectl(['create', '--filename=-'], {
      apiVersion: 'mercurylb.io/v1alpha1',
      kind: 'NodeNetwork',
      metadata,
    });
    const shown = await write('nodenetworks', 'node-1', {
      links: [{ name: 'eth0' }, { name: 'eth1', foreign }],
    });
    assert.match(shown, /FOREIGN +FOREIGN MAC\n.*198\.51\.100\.7.* 52:54:00:00:00:01/);
  });

  test('the examples apply without a warning', async () => {
    const files = readdirSync(fromRoot('examples')).filter((file) => file.endsWith('.yaml'));
    for (const file of files)
      await kubectl([
        'apply',
        '--warnings-as-errors',
        `--filename=${fromRoot(`examples/${file}`)}`,
      ]);
  });
});

type Field = {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly items?: Field;
};

/** Every field under a schema but those of Kubernetes itself, with its path. */
function* fieldsUnder({ properties = {}, items }: Field, path: string): Generator<[string, Field]> {
  for (const [name, field] of Object.entries(properties)) {
    if (name === 'metadata') continue;
    yield [`${path}.${name}`, field];
    yield* fieldsUnder(field, `${path}.${name}`);
  }
  if (items !== undefined) yield* fieldsUnder(items, `${path}[]`);
}

/** What MetalLB's users have in their files applies as it is, and comes to what they are used to. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { until } from '../../daemon/testing/until.ts';
import { kinds, pathOf } from '../../kube/kinds.ts';
import type { Service } from '../../kube/object.ts';
import { openTransport, type Transport } from '../../kube/transport.ts';
import { fromRoot } from '../lab/programs.ts';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { Loopback } from './place.ts';
import { openFolder } from './folder.ts';
import { needsPrograms } from './programs.ts';

const needs = await needsPrograms('etcd', 'kube-apiserver', 'kubectl');
const folder = fromRoot('e2e/manifests/metallb');

/** The addresses that these Services have in the end, in their order. */
const given: Readonly<Record<string, string>> = {
  // The first one ends in .0, which this pool avoids.
  'default/plain': '198.51.100.1',
  'default/by-pool': '198.51.100.64',
  'default/by-pool-old-prefix': '198.51.100.65',
  'shop/in-shop': '198.51.100.96',
  'lab/in-lab': '198.51.100.104',
  'shop/in-shop-public': '198.51.100.112',
  'default/annotated': '198.51.100.130',
  'default/annotated-old-prefix': '198.51.100.131',
  'default/annotated-twice': '198.51.100.132',
  'default/in-the-spec': '198.51.100.133',
  'default/dns-tcp': '198.51.100.160',
  'default/dns-udp': '198.51.100.160',
  'default/web-local': '198.51.100.170',
  'default/web-local-tls': '198.51.100.170',
  'default/both-required': '198.51.100.80 2001:db8:0:1::',
  'default/both-pinned': '198.51.100.88 2001:db8:0:1::8',
  'default/only-ipv6': '2001:db8:0:1::9',
};

suite('the manifests of MetalLB', needs, () => {
  let plane: ControlPlane;
  let api: Transport;
  const logs = openFolder();
  before(async () => {
    plane = await openControlPlane({ controllers: false });
    api = openTransport(plane.admin);
    await plane.kubectl(['create', 'namespace', 'metallb-system']);
    await plane.kubectl(['apply', '--server-side', '-k', fromRoot('crds')]);
    await plane.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s']);
  });
  after(async () => {
    api.close();
    await plane[Symbol.asyncDispose]();
    logs[Symbol.dispose]();
  });

  for (const file of readdirSync(folder)) {
    test(`${file} applies unchanged, by kubectl apply of either kind`, async () => {
      for (const how of [[], ['--server-side', '--force-conflicts']]) {
        const { code, stderr } = await plane.kubectl([
          'apply',
          ...how,
          `--filename=${folder}/${file}`,
        ]);
        assert.equal(code, 0, stderr);
        assert.equal(/nothing acts on it/.test(stderr), file === 'bgp.yaml', stderr);
      }
    });
  }

  test('what is about BGP keeps every field for the way back', async () => {
    const { stdout } = await plane.kubectl([
      'get',
      '-n',
      'metallb-system',
      'bgppeer/router',
      '-o=json',
    ]);
    assert.deepEqual(JSON.parse(stdout).spec, {
      myASN: 64500,
      peerASN: 64501,
      peerAddress: '198.51.100.254',
      holdTime: '90s',
      bfdProfile: 'quick',
    });
  });

  test('every Service gets what MetalLB would give it', async () => {
    const args = [
      fromRoot('operator/main.ts'),
      `--kubeconfig=${plane.kubeconfig}`,
      '--metrics-port=0',
    ];
    const place = new Loopback(logs.path);
    const operator = place.install({ name: 'operator', file: process.execPath, args });
    try {
      const seen = () => addressesOf(api);
      await until(
        'every one has an address',
        async () => {
          const addresses = await seen();
          return Object.keys(given).every((key) => addresses[key] !== '');
        },
        { withinMs: 20_000 },
      );
      assert.deepEqual(await seen(), given, place.logOf('operator', 20));
    } finally {
      await operator.stop();
    }
  });
});

async function addressesOf(api: Transport): Promise<Record<string, string>> {
  const path = pathOf(kinds.service);
  const { items } = await api.call<{ items: readonly Service[] }>({ method: 'GET', path });
  return Object.fromEntries(
    items
      .filter(({ spec }) => spec?.type === 'LoadBalancer')
      .map(({ metadata, status }) => [
        `${metadata.namespace}/${metadata.name}`,
        (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).join(' '),
      ]),
  );
}

/** `kubectl apply -k deploy/`, as a user does it, on the real API server. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { until } from '../../daemon/testing/until.ts';
import type { KubeObject } from '../../kube/object.ts';
import { containerProgram } from '../kubelet/container.ts';
import { buildImage, imageOf } from '../kubelet/image.ts';
import { openHosts } from '../lab/hosts.ts';
import { fromRoot } from '../lab/programs.ts';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { needsPrograms } from './programs.ts';

const deploy = fromRoot('deploy');
const needs = await needsPrograms('etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl');

suite('deploy/', needs, () => {
  let plane: ControlPlane;
  let objects: readonly KubeObject[];
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(args, { timeoutMs: 120_000 });
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  before(async () => {
    plane = await openControlPlane();
    const printed = await kubectl('kustomize', deploy);
    objects = parseAllDocuments(printed).map((document) => document.toJS());
  });
  after(() => plane?.[Symbol.asyncDispose]());

  /** How often what was asked for has changed, object by object. */
  const generations = (): Promise<string> => {
    const each = '{range .items[*]}{.kind}/{.metadata.name} {.metadata.generation}{"\\n"}{end}';
    return kubectl('get', '-k', deploy, `--output=jsonpath=${each}`);
  };

  test('is applied without a warning, and the second time changes nothing', async () => {
    await kubectl('apply', '-k', deploy, '--warnings-as-errors');
    await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s');
    const before = await generations();
    const again = (await kubectl('apply', '-k', deploy, '--warnings-as-errors')).split('\n');
    assert.deepEqual(
      again.filter((line) => !line.endsWith(' unchanged')),
      // Its selector is declared to be replaced, not merged, so that kubectl sends it every time.
      ['poddisruptionbudget.policy/mercurylb-operator configured'],
    );
    assert.equal(again.length, objects.length);
    assert.equal(await generations(), before);
  });

  test('is applied server-side over what was applied before', async () => {
    await kubectl('apply', '-k', deploy, '--server-side', '--force-conflicts');
  });

  test('takes the place of definitions that convert by a webhook of MetalLB', async () => {
    const service = { name: 'metallb-webhook-service', namespace: 'metallb-system' };
    const webhook = { clientConfig: { service }, conversionReviewVersions: ['v1beta1'] };
    const conversion = { strategy: 'Webhook', webhook };
    const patch = `--patch=${JSON.stringify({ spec: { conversion } })}`;
    await kubectl('patch', 'crd', 'bgppeers.metallb.io', '--type=merge', patch);
    await kubectl('replace', '-k', fromRoot('crds'));
    const strategies = ['get', 'crd', '--output=jsonpath={.items[*].spec.conversion.strategy}'];
    assert.match(await kubectl(...strategies), /^None( None)*$/);
  });

  test('has Pods that its namespace admits', async () => {
    for (const [workload, count] of [
      ['deployment/mercurylb-operator', '2'],
      // No node, no Pod: that the lab runs them there shows the rest.
      ['daemonset/mercurylb-speaker', '0'],
    ] as const) {
      const path =
        '{.status.replicas}{.status.updatedNumberScheduled}{.status.conditions[?(@.type=="ReplicaFailure")].message}';
      await until(`${workload} has made its Pods`, async () => {
        const made = await kubectl(
          'get',
          '-n',
          'metallb-system',
          workload,
          `--output=jsonpath=${path}`,
        );
        return made === count || (count === '0' && made === '');
      });
    }
  });

  test('gives the speaker the one capability without which it does not run', async () => {
    await buildImage();
    await using hosts = await openHosts({ nodes: 1 });
    const host = hosts.node('node-1');
    const flags = ['--node-name=node-1', '--api-server=http://198.51.100.10:1', '--metrics-port=0'];
    const program = containerProgram({
      name: 'speaker',
      spec: { name: 'speaker', image: '', args: ['/app/speaker.mjs', ...flags] },
      security: { runAsUser: 0, capabilities: { drop: ['ALL'] } },
      image: imageOf('ghcr.io/mercurylb/mercurylb:0.1.0'),
      env: {},
      mounts: [],
      namespace: host.namespace,
      root: hosts.folder,
    });
    await host.install(program).exited;
    assert.match(host.logOf('speaker', 5), /give the container the capability NET_RAW/);
  });

  test('is taken away whole', async () => {
    await kubectl('delete', '-k', deploy, '--wait=false');
    const kinds = 'crd,clusterrole,clusterrolebinding,namespace';
    const isGone = async () => {
      const left = await kubectl('get', kinds, '--output=name');
      const ours = left.split('\n').filter((name) => /metallb|mercury/.test(name));
      if (ours.length > 0) throw new Error(`there is still ${ours.join(', ')}`);
      return true;
    };
    // A definition that Kubernetes could not finish at once it comes back to after a while: two minutes were seen.
    await until('nothing is left', isGone, { withinMs: 300_000 });
  });
});

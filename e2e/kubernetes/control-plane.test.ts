import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { env } from 'node:process';
import { explain } from '../../daemon/log.ts';
import { openHosts } from '../lab/hosts.ts';
import { until } from '../../daemon/testing/until.ts';
import { needsLab } from '../lab/requirements.ts';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { needsPrograms } from './programs.ts';

const needs = await needsPrograms('etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl');

suite('a real control plane', needs, () => {
  let plane: ControlPlane;
  const kubectl = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(args);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  before(async () => {
    plane = await openControlPlane();
  });
  after(() => plane?.[Symbol.asyncDispose]());

  test('the server says which Kubernetes it is', async () => {
    const { serverVersion, clientVersion } = JSON.parse(
      await kubectl(['version', '--output=json']),
    );
    assert.match(serverVersion.gitVersion, /^v1\.\d+\.\d+$/);
    if (env['KUBEBUILDER_ASSETS'] === undefined) {
      assert.equal(clientVersion.gitVersion, serverVersion.gitVersion);
      const { major, minor, gitVersion } = serverVersion;
      assert.ok(gitVersion.startsWith(`v${major}.${minor}.`), `${gitVersion} is ${major}.${minor}`);
    }
  });

  test('a service account may do what its role says, and nothing else', async () => {
    await kubectl(['create', 'serviceaccount', 'reader']);
    await kubectl(['create', 'clusterrole', 'reader', '--verb=get,list', '--resource=services']);
    await kubectl([
      'create',
      'clusterrolebinding',
      'reader',
      '--clusterrole=reader',
      '--serviceaccount=default:reader',
    ]);
    const token = (await kubectl(['create', 'token', 'reader'])).trim();
    // The certificate in the kubeconfig would go before the token: ask without one.
    const asReader = ['--kubeconfig=/dev/null', `--server=${plane.server}`, `--token=${token}`];
    const ask = (...args: readonly string[]) =>
      plane.kubectl([...asReader, '--insecure-skip-tls-verify', ...args]);
    assert.equal((await ask('get', 'services')).code, 0);
    assert.match(
      (await ask('get', 'nodes')).stderr,
      /system:serviceaccount:default:reader.*cannot/,
    );
  });

  test('a Deployment gets its Pods from the controllers', async () => {
    await kubectl(['create', 'deployment', 'web', '--image=web', '--replicas=2']);
    await until('there are two Pods', async () => {
      const names = await kubectl(['get', 'pods', '--selector=app=web', '--output=name']);
      return names.trim().split('\n').length === 2;
    });
  });

  test('a killed API server comes back with everything', async () => {
    await kubectl(['create', 'configmap', 'kept']);
    const server = plane.running('kube-apiserver');
    server.signal('SIGKILL');
    await server.exited;
    plane.start('kube-apiserver');
    await plane.ready();
    assert.match(await kubectl(['get', 'configmap', 'kept']), /kept/);
  });
});

const needsBoth = needs.skip === false ? needsLab : needs;

test('a control plane runs on a host of the lab, and is an endpoint there', needsBoth, async () => {
  await using hosts = await openHosts({ nodes: 0 });
  await using plane = await openControlPlane({ place: hosts.control });
  const endpoint = '--output=jsonpath={.endpoints[0].addresses[0]}';
  const { stdout } = await plane.kubectl(['get', 'endpointslice', 'kubernetes', endpoint]);
  assert.equal(stdout, hosts.control.address);
});

test('a control plane that cannot start says which program ended, and why', needs, async () => {
  const moreFlags = { 'kube-apiserver': { 'no-such-flag': true } };
  await assert.rejects(openControlPlane({ moreFlags }), (error: Error) => {
    assert.match(explain(error), /kube-apiserver ended with code 1: .*no-such-flag/s);
    return true;
  });
});

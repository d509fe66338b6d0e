import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { env } from 'node:process';
import { explain } from '../../daemon/log.ts';
import { openHosts } from '../lab/hosts.ts';
import { fromRoot } from '../lab/programs.ts';
import { until } from '../../daemon/testing/until.ts';
import { needsLab } from '../lab/requirements.ts';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { needsPrograms } from './programs.ts';

const needs = await needsPrograms('etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl');

const yamlIn = (folder: string): string[] =>
  readdirSync(fromRoot(folder))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => fromRoot(`${folder}/${file}`));

/** A pool with these fields in its spec, named `bad`. */
const pool = (spec: object): object => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name: 'bad', namespace: 'metallb-system' },
  spec,
});

const advertisement = (spec: object): object => ({ ...pool(spec), kind: 'L2Advertisement' });

/** What a single object can show wrong, and what the person who wrote it reads. */
const refused: readonly { readonly what: string; object: object; says: RegExp }[] = [
  {
    what: 'a bare IPv4 address',
    object: pool({ addresses: ['198.51.100.7'] }),
    says: /spec\.addresses\[0\]: .*198\.51\.100\.7 is a bare address: write 198\.51\.100\.7\/32/,
  },
  {
    what: 'a bare IPv6 address',
    object: pool({ addresses: ['198.51.100.0/24', '2001:db8::7'] }),
    says: /spec\.addresses\[1\]: .*2001:db8::7 is a bare address: write 2001:db8::7\/128/,
  },
  {
    what: 'a number over 255',
    object: pool({ addresses: ['198.51.100.256/28'] }),
    says: /spec\.addresses\[0\]: .*write an IPv4 network like 198\.51\.100\.224\/28/,
  },
  {
    what: 'an IPv4 prefix length over 32',
    object: pool({ addresses: ['198.51.100.0/33'] }),
    says: /spec\.addresses\[0\]: .*prefix length up to 32/,
  },
  {
    what: 'an IPv6 prefix length over 128',
    object: pool({ addresses: ['2001:db8::/129'] }),
    says: /spec\.addresses\[0\]: .*prefix length up to 128/,
  },
  {
    what: 'a range over two families',
    object: pool({ addresses: ['198.51.100.1-2001:db8::1'] }),
    says: /spec\.addresses\[0\]: .*both addresses in full, both IPv6/,
  },
  {
    what: 'a pool without addresses',
    object: pool({ addresses: [] }),
    says: /spec\.addresses: .*should have at least 1 items/,
  },
  {
    what: 'an operator with no values',
    object: advertisement({
      nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'In' }] }],
    }),
    says: /nodeSelectors\[0\]\.matchExpressions\[0\]: .*In and NotIn need at least one value/,
  },
  {
    what: 'an operator that does not exist',
    object: advertisement({
      nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'Near' }] }],
    }),
    says: /operator: Unsupported value: "Near": supported values: "In", "NotIn"/,
  },
];

suite('a real control plane', needs, () => {
  let plane: ControlPlane;
  const kubectl = async (args: readonly string[], object?: object): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(
      args,
      object === undefined ? {} : { input: JSON.stringify(object) },
    );
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const apply = (...files: readonly string[]): Promise<string> =>
    kubectl(['apply', '--server-side', ...files.map((file) => `--filename=${file}`)]);

  before(async () => {
    plane = await openControlPlane();
    await kubectl(['create', 'namespace', 'metallb-system']);
    await apply(...yamlIn('crds'));
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s']);
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

  test('the CRDs are structural, and every field is explained', async () => {
    const conditions = await kubectl([
      'get',
      'crd',
      '--output=jsonpath={range .items[*].status.conditions[*]}{.type}={.status} {.message}{"\\n"}{end}',
    ]);
    assert.doesNotMatch(conditions, /NonStructuralSchema|NamesAccepted=False/);
    for (const plural of ['ipaddresspools', 'l2advertisements', 'servicel2statuses']) {
      // The server publishes the schema of a new kind a moment after it serves the kind.
      const explained = await until(`${plural} are explained`, () =>
        kubectl(['explain', '--recursive=false', `${plural}.spec`]),
      );
      assert.doesNotMatch(explained, /<no description>/, plural);
    }
  });

  test('the examples apply', async () => {
    const said = await apply(...yamlIn('examples'));
    assert.match(said, /ipaddresspool\.metallb\.io\/lan serverside-applied/);
    assert.doesNotMatch(said, /warning/i);
  });

  for (const { what, object, says } of refused) {
    test(`${what} is refused, saying what to write`, async () => {
      const args = ['create', '--dry-run=server', '--filename=-'];
      const { code, stderr } = await plane.kubectl(args, { input: JSON.stringify(object) });
      assert.equal(code, 1);
      assert.match(stderr, says);
    });
  }

  test('a misspelt field is named when it is applied by kubectl', async () => {
    const object = pool({ addresses: ['198.51.100.0/24'], autoassign: false });
    const args = ['create', '--dry-run=server', '--filename=-'];
    const { code, stderr } = await plane.kubectl(args, { input: JSON.stringify(object) });
    assert.equal(code, 1);
    assert.match(stderr, /unknown field "spec\.autoassign"/);
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
    const server = plane.running('kube-apiserver');
    server.signal('SIGKILL');
    await server.exited;
    plane.start('kube-apiserver');
    await plane.ready();
    assert.match(await kubectl(['get', 'ipaddresspools', '-A']), /lan/);
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

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { openApiServer } from './server.ts';

const missing = spawnSync('kubectl', ['version', '--client']).status !== 0;
// eslint-disable-next-line node/no-process-env -- how the caller says that nothing may be skipped
const required = process.env['E2E_REQUIRE'] === '1';
const skip = missing && !required ? 'kubectl is not installed' : false;

const pool = (addresses: string): string => `
apiVersion: example.com/v1
kind: Basin
metadata: {name: a, namespace: web}
spec: {addresses: ${addresses}}
`;
const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: basins.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: basins, kind: Basin, shortNames: [bs]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Open, type: boolean, jsonPath: .spec.open}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              addresses: {type: array, description: What it hands out., items: {type: string, minLength: 3}}
              open: {type: boolean, default: true}
`;
const web = (port = 80): string => `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{name: http, port: ${port}}]}
`;

suite('a stock kubectl', { skip }, () => {
  const home = mkdtempSync(join(tmpdir(), 'kubectl-'));
  let close = async (): Promise<void> => {};
  before(async () => {
    const server = await openApiServer({ namespaces: ['default', 'web'] });
    close = () => server.close();
    const url = await server.listen();
    writeFileSync(
      join(home, 'config'),
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'here', cluster: { server: url } }],
        users: [{ name: 'me', user: {} }],
        contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
        'current-context': 'here',
      }),
    );
  });
  after(async () => {
    await close();
    rmSync(home, { recursive: true });
  });

  /** Runs one command; gives what it printed, on success and on failure. */
  async function run(
    command: string,
    input = '',
  ): Promise<{ out: string; err: string; code: number | null }> {
    // eslint-disable-next-line node/no-process-env -- kubectl needs the machine's PATH
    const env = { ...process.env, HOME: home, KUBECONFIG: join(home, 'config') };
    const child = spawn('kubectl', command.split(' '), { env });
    const { promise: ended, resolve } = Promise.withResolvers<number | null>();
    child.once('close', resolve);
    child.stdin.end(input);
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { out, err, code };
  }
  async function kubectl(command: string, input = ''): Promise<string> {
    const { out, err, code } = await run(command, input);
    assert.equal(code, 0, `kubectl ${command}: ${err}`);
    return out;
  }

  test('applies a Service, twice, and shows it as users know it', async () => {
    assert.match(await kubectl('apply -f -', web()), /service\/web created/);
    assert.match(await kubectl('apply -f -', web()), /service\/web unchanged/);
    assert.match(
      await kubectl('get svc -n web'),
      /web +LoadBalancer +10\.96\.\S+ +<pending> +80:3\d+\/TCP/,
    );
    const status = '{"status":{"loadBalancer":{"ingress":[{"ip":"198.51.100.7"}]}}}';
    await kubectl(`patch svc web -n web --subresource=status --type=merge -p ${status}`);
    assert.match(await kubectl('get svc -A -o wide'), /198\.51\.100\.7 .* app=web/);
    assert.match(
      await kubectl('describe svc web -n web'),
      /LoadBalancer Ingress: +198\.51\.100\.7 \(VIP\)/,
    );
    assert.match(await kubectl('apply -f -', web(81)), /service\/web configured/);
    assert.equal(await kubectl('get svc web -n web -o jsonpath={.spec.ports[*].port}'), '81');
  });

  test('applies on the server, labels, annotates and selects', async () => {
    const apply = 'apply --server-side --force-conflicts -f -';
    assert.match(await kubectl(apply, web(81)), /serverside-applied/);
    // What it owned by its earlier applies it owns by this one too: the old port goes.
    await kubectl(apply, web(82));
    assert.equal(await kubectl('get svc web -n web -o jsonpath={.spec.ports[*].port}'), '82');
    await kubectl('label svc web -n web tier=front');
    await kubectl('annotate svc web -n web metallb.io/address-pool=a');
    assert.equal(await kubectl('get svc -A -l tier=front -o name'), 'service/web\n');
    assert.equal(await kubectl('get svc -A --field-selector metadata.name=none -o name'), '');
  });

  test('serves a kind as soon as it is defined, explains and checks it', async () => {
    await kubectl('apply -f -', definition);
    await kubectl('wait --for condition=established crd/basins.example.com');
    await kubectl('apply -f -', pool('[198.51.100.0/24]'));
    assert.match(await kubectl('get bs -A'), /NAMESPACE +NAME +OPEN\nweb +a +true/);
    assert.match(await kubectl('explain basin.spec.addresses'), /What it hands out\./);
    const wrong = await run('apply -f -', pool('[a]'));
    assert.match(wrong.err, /spec\.addresses\[0\] in body should be at least 3 chars long/);
    const typo = await run('apply -f -', pool('[198.51.100.0/24], opne: true'));
    assert.match(typo.err, /unknown field "spec\.opne"/);
  });

  test('creates and exposes what its typed commands send as protobuf', async () => {
    await kubectl('create namespace made');
    await kubectl('create configmap notes -n made --from-literal=a=b');
    await kubectl('create secret generic keys -n made --from-literal=a=b');
    await kubectl('create deployment site -n made --image=registry.example/site --replicas=0');
    await kubectl(
      'expose deployment site -n made --port=80 --target-port=http --type=LoadBalancer --name=site',
    );
    await kubectl('create service loadbalancer other -n made --tcp=443:8443');
    const path =
      '{.spec.type}/{.spec.selector.app}/{.spec.ports[0].port}/{.spec.ports[0].targetPort}';
    const show = (name: string) => kubectl(`get svc ${name} -n made -o jsonpath=${path}`);
    assert.equal(await show('site'), 'LoadBalancer/site/80/http');
    assert.equal(await show('other'), 'LoadBalancer/other/443/8443');
    assert.equal(await kubectl('get deploy site -n made -o jsonpath={.spec.replicas}'), '0');
    assert.equal(await kubectl('get secret keys -n made -o jsonpath={.data.a}'), 'Yg==');
  });

  test('explains the built-in kinds and lists what is served', async () => {
    assert.match(
      await kubectl('explain service.spec.loadBalancerClass'),
      /loadBalancerClass <string>/,
    );
    assert.match(await kubectl('api-resources'), /services +svc +v1 +true +Service/);
    assert.match(await kubectl('api-versions'), /coordination\.k8s\.io\/v1\n/);
  });

  test('replaces, deletes and waits', async () => {
    const shown = await kubectl('get svc web -n web -o json');
    await kubectl('replace -f -', shown.replace('"app": "web"', '"app": "site"'));
    assert.match(await kubectl('delete svc web -n web'), /service "web" deleted/);
    assert.match(
      (await run('get svc web -n web')).err,
      /Error from server \(NotFound\): services "web" not found/,
    );
    assert.match(
      await kubectl('create -f -', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: brief}'),
      /created/,
    );
    assert.match(await kubectl('delete ns brief'), /deleted/);
    assert.match((await run('get thing')).err, /doesn't have a resource type "thing"/);
  });
});

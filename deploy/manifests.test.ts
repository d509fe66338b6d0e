import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { definitions } from '../crds/manifest.ts';
import { readSettings, type Table } from '../daemon/settings.ts';
import { kinds } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { leaseName } from '../operator/operate.ts';
import { pulseKeySecret } from '../operator/pulse-key.ts';
import { settingsTable as operatorSettings } from '../operator/settings.ts';
import { settingsTable as speakerSettings } from '../speaker/settings.ts';

type Probe = { httpGet: { path: string; port: string }; timeoutSeconds: number };

type Container = {
  name: string;
  image: string;
  args: string[];
  env: { name: string; value?: string }[];
  ports: { name: string; containerPort: number }[];
  livenessProbe: Probe;
  readinessProbe: Probe;
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: {
    runAsUser?: number;
    privileged?: boolean;
    allowPrivilegeEscalation: boolean;
    readOnlyRootFilesystem: boolean;
    capabilities: { drop: string[]; add?: string[] };
  };
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
};

type Volume = { name: string; secret?: { secretName: string; optional?: boolean }; emptyDir?: {} };

type PodSpec = {
  serviceAccountName: string;
  priorityClassName: string;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  terminationGracePeriodSeconds: number;
  tolerations: { key?: string; operator: string }[];
  securityContext: { runAsNonRoot?: boolean; seccompProfile: { type: string } };
  containers: [Container];
  volumes?: Volume[];
};

type Workload = KubeObject & {
  spec: {
    replicas?: number;
    selector: { matchLabels: Record<string, string> };
    template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
  };
};

type Rule = { apiGroups: string[]; resources: string[]; verbs: string[] };

const files = globSync('deploy/*.yaml').filter((file) => !file.endsWith('kustomization.yaml'));
const objects: readonly KubeObject[] = files.flatMap((file) =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS()),
);
const kustomization = parse(readFileSync('deploy/kustomization.yaml', 'utf8'));
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The objects of a kind; there is at least one. */
function all<T extends KubeObject>(kind: string): readonly T[] {
  const found = objects.filter((one): one is T => one.kind === kind);
  assert.ok(found.length > 0, `no ${kind}`);
  return found;
}

const [operator = assert.fail()] = all<Workload>('Deployment');
const [speaker = assert.fail()] = all<Workload>('DaemonSet');
const podOf = ({ spec }: Workload): PodSpec => spec.template.spec;
const containerOf = (workload: Workload): Container => podOf(workload).containers[0];

type Patch = { target: { kind: string; name: string }; patch: string };
/** Of a patch in JSON (RFC 6902 §4.1). */
type Addition = { op: string; path: string; value: string };

function componentOf(name: string): { readonly patches: readonly [Patch] } {
  const file = `deploy/components/${name}/kustomization.yaml`;
  const component: { kind: string; patches: [Patch] } = parse(readFileSync(file, 'utf8'));
  assert.equal(component.kind, 'Component');
  return component;
}

/** What has to hold for every workload. */
const requirements: Readonly<Record<string, (pod: PodSpec, container: Container) => boolean>> = {
  'has one container': ({ containers }) => containers.length === 1,
  'sees no processes of its node': ({ hostPID, hostIPC }) => !hostPID && !hostIPC,
  'is not privileged, and never will be': (_, { securityContext }) =>
    securityContext.privileged !== true && !securityContext.allowPrivilegeEscalation,
  'cannot write to its image': (_, { securityContext }) => securityContext.readOnlyRootFilesystem,
  'drops every capability': (_, { securityContext: { capabilities } }) =>
    String(capabilities.drop) === 'ALL',
  'makes only usual system calls': ({ securityContext: { seccompProfile } }) =>
    seccompProfile.type === 'RuntimeDefault',
  'is kept when its node runs full': ({ priorityClassName }) =>
    priorityClassName.startsWith('system-'),
  'runs on control planes': ({ tolerations }) =>
    tolerations.some(
      ({ key = 'node-role.kubernetes.io/control-plane', operator: how }) =>
        key === 'node-role.kubernetes.io/control-plane' && how === 'Exists',
    ),
  'has time for a goodbye': ({ terminationGracePeriodSeconds: seconds }) => seconds >= 10,
  'is asked whether it lives and is ready': (_, { livenessProbe, readinessProbe }) =>
    livenessProbe.httpGet.path === '/livez' && readinessProbe.httpGet.path === '/readyz',
  'may answer slowly': (_, { livenessProbe }) => livenessProbe.timeoutSeconds >= 5,
  'is asked where it listens': (_, { args, ports, livenessProbe, readinessProbe }) =>
    [livenessProbe, readinessProbe].every(({ httpGet }) =>
      ports.some(
        ({ name, containerPort }) =>
          name === httpGet.port && args.includes(`--metrics-port=${containerPort}`),
      ),
    ),
  'says what it needs': (_, { resources: { requests } }) =>
    Object.keys(requests).toSorted().join() === 'cpu,memory',
  'is limited in memory, and never slowed': (_, { resources: { limits } }) =>
    Object.keys(limits).join() === 'memory',
};

for (const workload of [operator, speaker]) {
  describe(`the ${workload.kind} ${workload.metadata.name}`, () => {
    for (const [requirement, holds] of Object.entries(requirements)) {
      test(requirement, () => assert.ok(holds(podOf(workload), containerOf(workload))));
    }

    test('selects its own Pods', () => {
      const { selector, template } = workload.spec;
      assert.deepEqual(selector.matchLabels, template.metadata.labels);
    });

    test('has an account of its own', () => {
      const names = all('ServiceAccount').map(({ metadata }) => metadata.name);
      assert.ok(names.includes(podOf(workload).serviceAccountName));
    });

    test('mounts the volumes that it has', () => {
      const mounts = containerOf(workload).volumeMounts ?? [];
      const volumes = podOf(workload).volumes ?? [];
      assert.deepEqual(
        mounts.map(({ name }) => name),
        volumes.map(({ name }) => name),
      );
    });
  });
}

test('the operator runs as nobody, without any capability', () => {
  assert.equal(podOf(operator).securityContext.runAsNonRoot, true);
  assert.equal(containerOf(operator).securityContext.capabilities.add, undefined);
  assert.equal(podOf(operator).hostNetwork, undefined);
});

test('two operators share one lease, and a drain takes one at a time', () => {
  assert.equal(operator.spec.replicas, 2);
  const named = all<KubeObject & { rules: (Rule & { resourceNames?: string[] })[] }>('Role')
    .flatMap(({ rules }) => rules)
    .filter(({ resources }) => resources.includes('leases'))
    .flatMap(({ resourceNames = [] }) => resourceNames);
  assert.deepEqual(named, [leaseName]);
  const [budget] = all<KubeObject & { spec: Workload['spec'] & { maxUnavailable: number } }>(
    'PodDisruptionBudget',
  );
  assert.deepEqual(budget?.spec.selector, operator.spec.selector);
  assert.equal(budget?.spec.maxUnavailable, 1);
});

test('the speaker may send and receive frames on every node, and nothing else', () => {
  const { capabilities, runAsUser } = containerOf(speaker).securityContext;
  assert.deepEqual(capabilities.add, ['NET_RAW']);
  assert.equal(runAsUser, 0);
  assert.equal(podOf(speaker).hostNetwork, true);
  assert.deepEqual(podOf(speaker).tolerations, [{ operator: 'Exists' }]);
});

test('the component of the kernel responder adds its two capabilities, and changes nothing else', () => {
  const [{ target, patch }, ...others] = componentOf('kernel-responder').patches;
  assert.deepEqual(target, { kind: speaker.kind, name: speaker.metadata.name });
  const { capabilities } = containerOf(speaker).securityContext;
  // The path is that of the line above.
  const path = '/spec/template/spec/containers/0/securityContext/capabilities/add';
  const value = [...(capabilities.add ?? []), 'BPF', 'NET_ADMIN'];
  assert.deepEqual(parse(patch), [{ op: 'replace', path, value }]);
  assert.deepEqual(others, []);
});

for (const name of ['check-kube-proxy', 'check-gateway']) {
  test(`the component ${name} adds its flag to those of the speaker, and changes nothing else`, () => {
    const [{ target, patch }, ...others] = componentOf(name).patches;
    assert.deepEqual(target, { kind: speaker.kind, name: speaker.metadata.name });
    const [{ op, path, value }, ...more]: readonly [Addition] = parse(patch);
    assert.deepEqual([op, path], ['add', '/spec/template/spec/containers/0/args/-']);
    assert.deepEqual([others, more], [[], []]);
    assert.ok(value.startsWith(`--${name}`), value);
    const reading = readSettings('speaker', speakerSettings, ['--node-name=node-1', value], {});
    assert.equal(reading.kind, 'settings', 'text' in reading ? reading.text : '');
  });
}

test('the speaker waits for the key that the operator makes, and leaves nothing on its node', () => {
  const { volumes = [] } = podOf(speaker);
  assert.deepEqual(
    volumes.map(({ secret, emptyDir }) => secret?.secretName ?? emptyDir),
    [pulseKeySecret.name, {}],
  );
  assert.equal(volumes[0]?.secret?.optional, undefined);
  const flag = `--pulse-key-file=${containerOf(speaker).volumeMounts?.[0]?.mountPath}`;
  assert.ok(containerOf(speaker).args.includes(`${flag}/${pulseKeySecret.entry}`));
  assert.equal(containerOf(speaker).volumeMounts?.[0]?.readOnly, true);
});

test('every flag and variable is one that its program knows', () => {
  // A path that is there in the container only.
  const anyPath = { optional: true, parse: (said: string) => said, help: '' } as const;
  const tables: readonly (readonly [Workload, Table])[] = [
    [operator, operatorSettings],
    [speaker, { ...speakerSettings, pulseKeyFile: anyPath, stateDir: anyPath }],
  ];
  const ofNodeOrC = ['NODE_OPTIONS', 'MALLOC_ARENA_MAX'];
  for (const [workload, table] of tables) {
    const { args, env } = containerOf(workload);
    const [program = '', ...flags] = args.slice(args.findIndex((arg) => arg.endsWith('.mjs')));
    const reading = readSettings(program, table, flags, { METALLB_NODE_NAME: 'node-1' });
    assert.equal(reading.kind, 'settings', 'text' in reading ? reading.text : '');
    const known = Object.values(table).flatMap((setting) => setting.env ?? []);
    const names = env.map(({ name }) => name).filter((name) => !ofNodeOrC.includes(name));
    assert.deepEqual(
      names.filter((name) => !known.includes(name)),
      [],
    );
  }
});

test('the image has the version of this release', () => {
  const [{ name, newTag }] = kustomization.images;
  assert.equal(newTag, version);
  for (const workload of [operator, speaker]) assert.equal(containerOf(workload).image, name);
});

test('rights name kinds that the programs know, with no wildcard', () => {
  const known = new Set(
    [...Object.values(kinds), ...definitions.map(({ kind }) => kind)].map(
      ({ group, plural }) => `${plural}.${group}`,
    ),
  );
  const rules = [...all('ClusterRole'), ...all('Role')].flatMap((role) =>
    'rules' in role ? (role.rules as Rule[]) : [],
  );
  for (const { apiGroups, resources, verbs } of rules) {
    assert.ok(!verbs.includes('*'));
    for (const group of apiGroups)
      for (const resource of resources)
        assert.ok(known.has(`${resource.replace(/\/status$/, '')}.${group}`), resource);
  }
});

test('nobody may read a Secret through the API', () => {
  const verbs = [...all('ClusterRole'), ...all('Role')]
    .flatMap((role) => ('rules' in role ? (role.rules as Rule[]) : []))
    .filter(({ resources }) => resources.includes('secrets'))
    .flatMap((rule) => rule.verbs);
  assert.deepEqual(verbs, ['create']);
});

test('the namespace admits what the speaker needs, and says so in all three ways', () => {
  const [namespace] = all('Namespace');
  for (const way of ['enforce', 'audit', 'warn'])
    assert.equal(
      namespace?.metadata.labels?.[`pod-security.kubernetes.io/${way}`],
      'privileged',
      way,
    );
  for (const { kind, metadata } of objects) {
    if (kind === 'Namespace' || kind?.startsWith('Cluster')) continue;
    assert.equal(metadata.namespace, namespace?.metadata.name, `${kind} ${metadata.name}`);
  }
});

test('no manifest is forgotten', () => {
  const listed = (folder: string): readonly string[] =>
    parse(readFileSync(`${folder}/kustomization.yaml`, 'utf8')).resources;
  for (const folder of ['deploy', 'crds']) {
    const there = globSync(`${folder}/*.yaml`).map((file) => basename(file));
    assert.deepEqual(
      listed(folder)
        .filter((name) => name.endsWith('.yaml'))
        .toSorted(),
      there.filter((name) => name !== 'kustomization.yaml').toSorted(),
    );
  }
  assert.ok(listed('deploy').includes('../crds'));
});

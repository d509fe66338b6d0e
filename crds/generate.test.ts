import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { fileOf, manifests } from './generate.ts';
import { definitions, manifestOf } from './manifest.ts';

/** Every schema node under a schema, with where it is. */
function* nodesUnder(schema: SchemaNode, at = ''): Generator<readonly [string, SchemaNode]> {
  yield [at, schema];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield* nodesUnder(property, `${at}.${name}`);
  }
  if (schema.items !== undefined) yield* nodesUnder(schema.items, `${at}[]`);
}
type SchemaNode = {
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
};

function schemaOf(kind: string): SchemaNode {
  const definition = definitions.find((candidate) => candidate.kind.kind === kind);
  assert.ok(definition);
  const crd = parse(readFileSync(fileOf(manifestOf(definition)).url, 'utf8'));
  return crd.spec.versions[0].schema.openAPIV3Schema;
}

const byPath = (kind: string): Map<string, SchemaNode> => new Map(nodesUnder(schemaOf(kind)));

describe('the generated CRDs', () => {
  for (const manifest of manifests) {
    it(`are what the schemas say: ${manifest.spec.names.plural} (otherwise run make generate)`, () => {
      const { url, text } = fileOf(manifest);
      assert.ok(existsSync(url), `${url.pathname} is missing`);
      assert.equal(readFileSync(url, 'utf8'), text);
      assert.deepEqual(parse(text), JSON.parse(JSON.stringify(manifest)));
    });
  }

  it('are all installed', () => {
    const { resources } = parse(
      readFileSync(new URL('kustomization.yaml', import.meta.url), 'utf8'),
    );
    const names = manifests.map(({ spec }) => `${spec.names.plural}.yaml`);
    assert.deepEqual(resources, names.toSorted());
  });

  for (const definition of definitions) {
    const { kind } = definition.kind;

    it(`explain every field: ${kind}`, () => {
      for (const [path, node] of nodesUnder(schemaOf(kind))) {
        if (path === '.metadata' || path.endsWith('[]')) continue;
        assert.ok(node.description, `${kind}${path} has no description`);
      }
    });

    it(`print columns of fields that exist: ${kind}`, () => {
      const fields = byPath(kind);
      for (const { jsonPath } of definition.columns) {
        const path = jsonPath.replace(/\[(\?.*?|0|\*)\]/g, '[]');
        assert.ok(fields.has(path) || path === '.metadata.creationTimestamp', jsonPath);
      }
    });
  }

  it('require and default what MetalLB does', () => {
    const pool = byPath('IPAddressPool');
    assert.deepEqual(pool.get('')?.required, ['spec']);
    // That one of addresses and nodes is there is a rule of its own.
    assert.equal(pool.get('.spec')?.required, undefined);
    assert.equal(pool.get('.spec.autoAssign')?.default, true);
    assert.equal(pool.get('.spec.avoidBuggyIPs')?.default, false);
    assert.equal(pool.get('.spec.serviceAllocation')?.required, undefined);

    const advertisement = byPath('L2Advertisement');
    assert.equal(advertisement.get('')?.required, undefined);
    assert.equal(advertisement.get('.spec')?.required, undefined);
    const preferred = advertisement.get('.spec.preferredNodeSelectors[]');
    assert.deepEqual(preferred?.required, ['weight', 'preference']);

    const defaults = [...pool, ...advertisement].filter(([path, node]) => {
      return path.startsWith('.spec') && node.default !== undefined;
    });
    assert.deepEqual(
      defaults.map(([path]) => path),
      ['.spec.autoAssign', '.spec.avoidBuggyIPs'],
    );
  });

  it('have the field names of MetalLB', () => {
    const names = (kind: string, path: string) =>
      Object.keys(byPath(kind).get(path)?.properties ?? {}).toSorted();
    // exclude, nodes, pinning, reclaim, reservations and maxPerNamespace are ours.
    assert.deepEqual(names('IPAddressPool', '.spec'), [
      'addresses',
      'autoAssign',
      'avoidBuggyIPs',
      'exclude',
      'nodes',
      'pinning',
      'reclaim',
      'reservations',
      'serviceAllocation',
    ]);
    assert.deepEqual(names('IPAddressPool', '.spec.serviceAllocation'), [
      'maxPerNamespace',
      'namespaceSelectors',
      'namespaces',
      'priority',
      'serviceSelectors',
    ]);
    assert.deepEqual(names('L2Advertisement', '.spec'), [
      'interfaces',
      'ipAddressPoolSelectors',
      'ipAddressPools',
      'nodeSelectors',
      'preferredNodeSelectors',
      'serviceSelectors',
    ]);
    const l2Status = names('ServiceL2Status', '.status');
    for (const name of ['node', 'serviceName', 'serviceNamespace', 'interfaces']) {
      assert.ok(l2Status.includes(name), name);
    }
  });
});

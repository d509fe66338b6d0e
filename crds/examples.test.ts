import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parseAddress } from '../net/address.ts';
import { rangeContains } from '../net/range.ts';
import { selectsPool } from './advertisement.ts';
import { readModel } from './model.ts';
import { defaultNamespace, group, readAnnotation, version } from './names.ts';
import type { Pool } from './pool.ts';

type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly type?: string; readonly loadBalancerIP?: string };
};

const folder = new URL('../examples/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const textOf = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

function manifestsIn(file: string): Manifest[] {
  return parseAllDocuments(textOf(file)).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
}

const ofKind = (all: readonly Manifest[], kind: string): Manifest[] =>
  all.filter((manifest) => manifest.kind === kind);

function modelOf(all: readonly Manifest[]) {
  return readModel({
    pools: ofKind(all, 'IPAddressPool'),
    advertisements: ofKind(all, 'L2Advertisement'),
  });
}

function wantedAddresses({ metadata, spec }: Manifest): string[] {
  const listed = readAnnotation(metadata.annotations, 'loadBalancerIPs') ?? spec?.loadBalancerIP;
  return listed === undefined ? [] : listed.split(',').map((text) => text.trim());
}

describe('the examples', () => {
  for (const file of files) {
    const manifests = manifestsIn(file);
    // All but pool.yaml itself are applied on top of it.
    const applied = file === 'pool.yaml' ? manifests : [...manifestsIn('pool.yaml'), ...manifests];

    it(`${file} says on top what to expect`, () => {
      assert.match(textOf(file), /^# [^]*^# Expect: [^]*^apiVersion: /m);
    });

    it(`${file} is read without a problem`, () => {
      assert.deepEqual(modelOf(applied).problems, []);
    });

    it(`${file} has each object where it belongs`, () => {
      for (const { apiVersion, kind, metadata, spec } of manifests) {
        const ours = kind !== 'Service';
        assert.equal(apiVersion, ours ? `${group}/${version}` : 'v1');
        assert.equal(metadata.namespace, ours ? defaultNamespace : 'default');
        if (!ours) assert.equal(spec?.type, 'LoadBalancer');
      }
    });

    it(`${file} asks for ${file === 'impossible.yaml' ? 'what no pool has' : 'what there is'}`, () => {
      const { pools, advertisements } = modelOf(applied);
      for (const service of ofKind(manifests, 'Service')) {
        const named = readAnnotation(service.metadata.annotations, 'address-pool');
        const offered = pools.filter(({ name }) => named === undefined || name === named);
        const isReachable = (pool: Pool): boolean =>
          pool.nodes !== undefined || advertisements.some((one) => selectsPool(one, pool));
        assert.ok(offered.some(isReachable));
        for (const text of wantedAddresses(service)) {
          const address = parseAddress(text);
          assert.ok(address, text);
          const held = offered.some(({ ranges }) =>
            ranges.some((one) => rangeContains(one, address)),
          );
          assert.equal(held, file !== 'impossible.yaml', text);
        }
      }
    });
  }

  it('can all be applied together, each object under its own name', () => {
    const all = files.flatMap(manifestsIn);
    assert.deepEqual(modelOf(all).problems, []);
    const names = all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    assert.deepEqual(names, [...new Set(names)]);
  });
});

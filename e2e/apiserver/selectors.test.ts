import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJsonPath, valuesAt } from './json-path.ts';
import { Refusal } from './refusal.ts';
import {
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from './selectors.ts';

const object = { metadata: { labels: { tier: 'front', 'example.com/n': '5', empty: '' } } };

for (const [selector, expected] of [
  ['', true],
  ['tier', true],
  ['!tier', false],
  ['!other', true],
  ['tier=front', true],
  ['tier == front , !other', true],
  ['tier!=front', false],
  ['other!=front', true],
  ['tier in (back, front)', true],
  ['tier notin (back)', true],
  ['other notin (back)', true],
  ['other in (back)', false],
  ['example.com/n>4,example.com/n<6', true],
  ['example.com/n>5', false],
  ['empty=', true],
] as const) {
  test(`the label selector "${selector}" ${expected ? 'chooses' : 'passes over'} the object`, () => {
    assert.equal(matchesLabels(object, parseLabelSelector(selector)), expected);
  });
}

test('what is no label selector is refused, never thrown otherwise', () => {
  for (const selector of ['=a', 'a in b', 'a>b', '!', 'a=b=c', 'a/b/c=d', '(a)']) {
    assert.throws(() => parseLabelSelector(selector), Refusal, selector);
  }
  fc.assert(
    fc.property(fc.string(), (selector) => {
      try {
        matchesLabels(object, parseLabelSelector(selector));
      } catch (error) {
        assert.ok(error instanceof Refusal);
      }
    }),
  );
});

test('a field selector knows only the fields of its kind', () => {
  const pod = { metadata: { name: 'a' }, spec: { nodeName: 'n1' }, status: { phase: 'Running' } };
  const fields = ['metadata.name', 'spec.nodeName', 'status.phase'];
  const chooses = (selector: string) => matchesFields(pod, parseFieldSelector(selector, fields));
  assert.equal(chooses('spec.nodeName=n1,status.phase!=Failed'), true);
  assert.equal(chooses('spec.nodeName!=n1'), false);
  assert.throws(() => chooses('spec.other=1'), /field label not supported: spec\.other/);
});

const document = {
  a: {
    'b.c': 1,
    list: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  },
};
for (const [path, values] of [
  ['.a.list[0].type', ['Ready']],
  ['.a.list[*].type', ['Ready', 'Other']],
  ['.a.list[-1].type', ['Other']],
  ['.a.list[?(@.type=="Ready")].status', ['True']],
  [".a.list[?(@.type=='None')].status", []],
  ['.a.b\\.c', [1]],
  [".a['b.c']", [1]],
  ['.none.at.all', []],
] as const) {
  test(`the path ${path} leads to ${JSON.stringify(values)}`, () => {
    const parsed = parseJsonPath(path);
    assert.ok(parsed);
    assert.deepEqual(valuesAt(document, parsed), values);
  });
}

test('a text that is no path leads to no value', () => {
  for (const path of ['a', '.a[', '.a[b]', '..', '.a[?(@.b)]x']) {
    const parsed = parseJsonPath(path);
    if (parsed !== undefined) assert.deepEqual(valuesAt(document, parsed), [], path);
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matches, parseSelector } from './selector.ts';

function selects(written: unknown, labels?: Record<string, string>): boolean {
  const selector = parseSelector(written);
  if (typeof selector === 'string') assert.fail(selector);
  return matches(selector, labels);
}

const expression = (operator: string, values?: readonly string[]) => ({
  matchExpressions: [{ key: 'tier', operator, ...(values === undefined ? {} : { values }) }],
});

describe('a selector', () => {
  it('without conditions matches everything', () => {
    assert.equal(selects({}, { tier: 'web' }), true);
    assert.equal(selects({}, undefined), true);
    assert.equal(selects({ matchLabels: {}, matchExpressions: [] }), true);
  });

  it('matches labels by key and value, all of them', () => {
    const written = { matchLabels: { tier: 'web', 'example.com/zone': '' } };
    assert.equal(selects(written, { tier: 'web', 'example.com/zone': '' }), true);
    assert.equal(selects(written, { tier: 'web' }), false);
    assert.equal(selects(written, { tier: 'db', 'example.com/zone': '' }), false);
  });

  it('knows the four operators as Kubernetes means them', () => {
    const cases = [
      { written: expression('In', ['web', 'api']), web: true, db: false, none: false },
      { written: expression('NotIn', ['web', 'api']), web: false, db: true, none: true },
      { written: expression('Exists'), web: true, db: true, none: false },
      { written: expression('DoesNotExist', []), web: false, db: false, none: true },
    ];
    for (const { written, web, db, none } of cases) {
      const operator = written.matchExpressions[0]?.operator;
      assert.equal(selects(written, { tier: 'web' }), web, operator);
      assert.equal(selects(written, { tier: 'db' }), db, operator);
      assert.equal(selects(written, { other: 'web' }), none, operator);
    }
  });

  it('wants labels and expressions to hold both', () => {
    const written = { matchLabels: { zone: 'a' }, ...expression('Exists') };
    assert.equal(selects(written, { zone: 'a', tier: 'web' }), true);
    assert.equal(selects(written, { zone: 'a' }), false);
    assert.equal(selects(written, { tier: 'web' }), false);
  });

  it('does not take what every JavaScript object has for a label', () => {
    const written = { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] };
    assert.equal(selects(written, {}), false);
  });
});

describe('parseSelector', () => {
  it('says what is wrong, where, and what to write', () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [undefined, 'at is missing: write matchLabels, matchExpressions or both'],
      [null, 'at is null: write matchLabels, matchExpressions or both'],
      [[], 'at is a list: write matchLabels, matchExpressions or both'],
      [{ matchLabels: 'a=b' }, 'at.matchLabels is the string "a=b": write label: value pairs'],
      [
        { matchLabels: { edge: true } },
        'at.matchLabels["edge"] is the boolean true: label values are text, put it in quotes',
      ],
      [
        { matchLabels: { 'not a label': 'x' } },
        'at.matchLabels names "not a label", which cannot be the name of a label',
      ],
      [
        { matchLabels: { tier: 'a b' } },
        'at.matchLabels["tier"] is "a b", which no label can have: at most 63 letters, digits, ' +
          '"-", "_" and ".", beginning and ending with a letter or digit',
      ],
      [{ matchExpressions: {} }, 'at.matchExpressions is an object: write a list'],
      [
        { matchExpressions: [7] },
        'at.matchExpressions[0] is the number 7: write key, operator and values',
      ],
      [
        { matchExpressions: [{ operator: 'Exists' }] },
        'at.matchExpressions[0].key is missing: write the name of a label',
      ],
      [
        expression('in', ['web']),
        'at.matchExpressions[0].operator is the string "in": write In, NotIn, Exists or DoesNotExist',
      ],
      [expression('In'), 'at.matchExpressions[0].values is empty: In needs at least one value'],
      [
        expression('Exists', ['web']),
        'at.matchExpressions[0].values is given: Exists takes no values, leave them out',
      ],
    ];
    for (const [written, problem] of cases) assert.equal(parseSelector(written, 'at'), problem);
  });

  it('gives a selector or a text for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (labels, expressions) => {
        for (const written of [
          labels,
          { matchLabels: labels },
          { matchExpressions: expressions },
        ]) {
          const selector = parseSelector(written);
          if (typeof selector !== 'string') assert.equal(typeof matches(selector, {}), 'boolean');
        }
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseL2Status } from './l2-status.ts';

describe('parseL2Status', () => {
  it('reads what we write and what MetalLB wrote', () => {
    const ours = {
      node: 'node-2',
      serviceName: 'web',
      serviceNamespace: 'default',
      interfaces: [{ name: 'eth0' }],
      addresses: ['198.51.100.200'],
      nodes: ['node-2'],
      mac: '02:00:5e:10:00:02',
      since: '2026-11-21T12:00:00Z',
      previousNode: 'node-1',
      reason: 'HolderDied',
      moves: 2,
      holders: [
        {
          address: '198.51.100.200',
          interface: 'eth0',
          node: 'node-2',
          mac: '02:00:5e:10:00:02',
          since: '2026-11-21T12:00:00Z',
          term: 7,
          previousNode: 'node-1',
          reason: 'HolderDied',
          detectionMs: 251,
          decisionMs: 0,
          takeoverMs: 3,
        },
      ],
    };
    assert.deepEqual(parseL2Status(ours), ours);
    const theirs = { node: 'node-2', serviceName: 'web', serviceNamespace: 'default' };
    assert.deepEqual(parseL2Status(theirs), theirs);
  });

  it('is undefined where a field is not of its type', () => {
    assert.equal(parseL2Status({ node: 7 }), undefined);
    assert.equal(parseL2Status({ moves: -1 }), undefined);
    assert.equal(parseL2Status({ holders: [{ node: 'node-1' }] }), undefined);
    assert.equal(parseL2Status(undefined), undefined);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        parseL2Status(json);
      }),
    );
  });
});

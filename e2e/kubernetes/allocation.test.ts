import { after, suite } from 'node:test';
import { describeAllocation } from '../allocation/suite.ts';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { needsPrograms } from './programs.ts';

const needs = await needsPrograms('etcd', 'kube-apiserver', 'kubectl');

suite('on real Kubernetes', needs, () => {
  let plane: ControlPlane | undefined;
  after(() => plane?.[Symbol.asyncDispose]());
  describeAllocation('Kubernetes', async () => {
    plane = await openControlPlane({ controllers: false });
    return plane.admin;
  });
});

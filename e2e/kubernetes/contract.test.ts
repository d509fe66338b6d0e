import assert from 'node:assert/strict';
import { after, suite } from 'node:test';
import tls from 'node:tls';
import { describeContract } from '../apiserver/contract.ts';
import { Client } from '../apiserver/contract-client.ts';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { needsPrograms } from './programs.ts';

const needs = await needsPrograms('etcd', 'kube-apiserver', 'kubectl');

suite('on real Kubernetes', needs, () => {
  let plane: ControlPlane | undefined;
  after(() => plane?.[Symbol.asyncDispose]());
  describeContract('Kubernetes', async () => {
    plane = await openControlPlane({ controllers: false });
    // The client of the contract is the plain fetch, which takes its authorities from here.
    tls.setDefaultCACertificates([plane.authority.cert]);
    return new Client(plane.server, { authorization: `Bearer ${await adminToken(plane)}` });
  });
});

async function adminToken(plane: ControlPlane): Promise<string> {
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(args);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  await kubectl('create', 'serviceaccount', 'contract');
  const role = ['--clusterrole=cluster-admin', '--serviceaccount=default:contract'];
  await kubectl('create', 'clusterrolebinding', 'contract', ...role);
  return await kubectl('create', 'token', 'contract');
}

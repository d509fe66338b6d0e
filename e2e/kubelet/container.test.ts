import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../../daemon/testing/until.ts';
import type { Host } from '../lab/host.ts';
import { type Hosts, openHosts } from '../lab/hosts.ts';
import { needsLab } from '../lab/requirements.ts';
import { capabilitiesOf, type Container, containerProgram } from './container.ts';

/** What a program sees of the place it runs in. */
const look = `
const { readFileSync, readdirSync, writeFileSync } = require('node:fs');
const status = Object.fromEntries(readFileSync('/proc/self/status', 'utf8').split('\\n').map((line) => line.split(':\\t')));
const mayWrite = (path) => { try { writeFileSync(path, ''); return 'written'; } catch (error) { return error.code; } };
process.stdout.write(JSON.stringify({
  user: process.getuid(),
  groups: status.Groups.trim(),
  capabilities: BigInt('0x' + status.CapEff).toString(2),
  bounds: BigInt('0x' + status.CapBnd).toString(2),
  privilegesAreFixed: status.NoNewPrivs,
  files: readdirSync('/').sort(),
  env: Object.keys(process.env).sort(),
  atRoot: mayWrite('/file'),
  onVolume: mayWrite('/volume/file'),
  onProtected: mayWrite('/protected/file'),
}) + '\\n');
setInterval(() => {}, 1000);`;

const node = '/nodejs/bin/node';
const binds = { [node]: process.execPath };
/** capabilities(7): CAP_NET_RAW is number 13. */
const netRaw = (1n << 13n).toString(2);

describe('a container', needsLab, () => {
  let hosts: Hosts;
  let host: Host;
  before(async () => {
    hosts = await openHosts({ nodes: 1 });
    host = hosts.node('node-1');
  });
  after(() => hosts[Symbol.asyncDispose]());

  /** What the program sees in a container of this name, with this security context. */
  async function seen(name: string, security: Container['security']) {
    const folder = (kind: string): string => {
      const path = join(hosts.folder, name, kind);
      mkdirSync(path, { recursive: true });
      chmodSync(path, 0o777);
      return path;
    };
    const volume = folder('volume');
    const program = containerProgram({
      name,
      spec: { name, image: '', args: ['-e', look] },
      security,
      image: { entrypoint: [node], command: [], user: 0, group: 0, copies: {}, binds },
      env: { GREETING: 'hello' },
      mounts: [
        { from: volume, at: '/volume', readOnly: false },
        { from: folder('protected'), at: '/protected', readOnly: true },
      ],
      namespace: host.namespace,
      root: folder('root'),
    });
    host.install(program);
    const said = await until(
      `${name} has looked`,
      () => host.logOf(name, 1) !== '' && host.logOf(name, 1),
    );
    return JSON.parse(said);
  }

  test('sees the files of its image and volumes, and no shell', async () => {
    const { files, env } = await seen('files', {});
    assert.deepEqual(
      files.filter((file: string) => !file.startsWith('lib')),
      ['.setpriv', 'dev', 'etc', 'nodejs', 'proc', 'protected', 'sys', 'tmp', 'usr', 'volume'],
    );
    assert.deepEqual(env, ['GREETING', 'PATH']);
  });

  test('writes where it may alone', async () => {
    const open = await seen('open', {});
    assert.deepEqual(
      [open.atRoot, open.onVolume, open.onProtected],
      ['written', 'written', 'EROFS'],
    );
    const closed = await seen('closed', { readOnlyRootFilesystem: true });
    assert.deepEqual([closed.atRoot, closed.onVolume], ['EROFS', 'written']);
  });

  test('has the capabilities it is given, as the first user', async () => {
    const security = { capabilities: { drop: ['ALL'], add: ['NET_RAW'] } };
    const { user, capabilities, bounds, privilegesAreFixed } = await seen('raw', {
      ...security,
      allowPrivilegeEscalation: false,
    });
    assert.deepEqual(
      { user, capabilities, bounds },
      { user: 0, capabilities: netRaw, bounds: netRaw },
    );
    assert.equal(privilegesAreFixed, '1');
  });

  test('has none as another user, whatever it is given', async () => {
    const { user, groups, capabilities } = await seen('nobody', {
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 2000,
      capabilities: { drop: ['ALL'], add: ['NET_RAW'] },
    });
    assert.deepEqual(
      { user, groups, capabilities },
      { user: 65532, groups: '2000', capabilities: '0' },
    );
  });

  test('is refused where it must not be the first user and is', async () => {
    await assert.rejects(seen('root', { runAsNonRoot: true }), /runAsNonRoot/);
  });

  test('is one process: a signal reaches its program, and its power cut leaves nothing', async () => {
    await seen('single', {});
    const { pid } = host.running('single');
    const { stdout } = await host.outcomeOf('ps', ['-o', 'pid=', '--ppid', `${pid}`]);
    assert.equal(stdout.trim(), '');
    assert.equal(await host.running('single').stop(), 'by SIGTERM');
  });
});

test('a container that asks for nothing has what runtimes leave it, and less where it drops', () => {
  assert.ok(capabilitiesOf({}).includes('chown'));
  assert.ok(!capabilitiesOf({ capabilities: { drop: ['CHOWN'] } }).includes('chown'));
  const raw = { capabilities: { drop: ['ALL'], add: ['NET_RAW'] } };
  assert.deepEqual(capabilitiesOf(raw), ['net_raw']);
});

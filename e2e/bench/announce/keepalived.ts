import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../daemon/clock.ts';
import type { Cluster } from '../../lab/cluster.ts';
import { outcomeOf } from '../../lab/command.ts';
import { answerersOf, someHolderOf } from '../../lab/holders.ts';
import type { Host, Program } from '../../lab/host.ts';
import { openProbe } from '../../lab/probe.ts';
import { backendPort, echoPort } from '../../lab/service-proxy.ts';
import type { Unmeasured } from './unmeasured.ts';

/** Milliseconds for which the client had no answer, by power cut. */
export type Keepalived = {
  readonly version: string;
  readonly advertSeconds: number;
  readonly blackouts: readonly number[];
};

/** Nobody's in the lab. */
const address = '198.51.100.99';
const name = 'keepalived';

/** The power cuts of `cutHolder`, with keepalived of this machine on the same nodes, wire and client. */
export async function measureKeepalived(
  cluster: Cluster,
  { advertSeconds, cuts }: { readonly advertSeconds: number; readonly cuts: number },
): Promise<Keepalived | Unmeasured> {
  const version = await versionOfKeepalived();
  if (version === undefined)
    return { unmeasured: 'there is no keepalived: `apt-get install keepalived` brings it' };
  const { nodes, client, folder } = cluster.hosts;
  for (const [index, host] of nodes.entries()) {
    await leadToBackend(host);
    host.install(keepalived(host, { folder, advertSeconds, priority: 100 - index }));
  }
  await someHolderOf(cluster, address);
  await settled(advertSeconds);
  const blackouts: number[] = [];
  {
    await using probe = openProbe(client, address, echoPort);
    await probe.steady(200);
    while (blackouts.length < cuts) {
      const holder = await someHolderOf(cluster, address);
      await systemClock.sleep(randomInt(1_000 * advertSeconds));
      const { ms } = await probe.blackoutOf(() => holder.cutPower());
      blackouts.push(ms);
      await restorePower(cluster, holder, advertSeconds);
    }
  }
  for (const host of nodes) {
    host.uninstall(name);
    await host.running(name).stop();
  }
  return { version, advertSeconds, blackouts };
}

/** A backup that was started takes over when it has heard nobody for three intervals and its skew (RFC 5798 §6.1). */
const settled = (advertSeconds: number): Promise<void> =>
  systemClock.sleep(4_000 * advertSeconds + 1_000);

/** Throws where the address then is anywhere but with its new holder. */
async function restorePower(cluster: Cluster, host: Host, advertSeconds: number): Promise<void> {
  const heir = await someHolderOf(cluster, address);
  // A node that has lost its power has lost what a program gave to its kernel, and what lay in /run.
  await host.run('ip', ['address', 'delete', `${address}/32`, 'dev', 'eth0']);
  const run = runFolder(cluster.hosts.folder, host);
  for (const file of readdirSync(run)) rmSync(join(run, file));
  await host.restorePower();
  await cluster.memberAgain(host);
  await settled(advertSeconds);
  const answerers = await answerersOf(cluster, address);
  if (answerers.join() !== heir.name)
    throw new Error(
      `keepalived's ${address} went from ${host.name} to ${heir.name}; after the power came back it is answered by ${answerers.join(' and ') || 'nobody'}`,
    );
}

/** As the stand-in for kube-proxy does it for the addresses of Services. */
async function leadToBackend(host: Host): Promise<void> {
  const rules = `
    table ip keepalived
    delete table ip keepalived
    table ip keepalived {
      chain prerouting {
        type nat hook prerouting priority dstnat;
        ip daddr ${address} udp dport ${echoPort} dnat to ${host.address}:${backendPort}
      }
    }
  `;
  await host.run('nft', ['-f', '-'], { input: rules });
}

type Place = {
  readonly folder: string;
  readonly advertSeconds: number;
  readonly priority: number;
};

function keepalived(host: Host, { folder, advertSeconds, priority }: Place): Program {
  const own = runFolder(folder, host);
  mkdirSync(own, { recursive: true });
  const configuration = join(folder, `${host.name}.keepalived.conf`);
  writeFileSync(configuration, configurationOf({ host: host.name, advertSeconds, priority }));
  const pidFiles = [`--pid=${join(own, 'pid')}`, `--vrrp_pid=${join(own, 'vrrp.pid')}`];
  const how = ['--vrrp', '--dont-fork', '--log-console'];
  // Its second process leaves the group of the first: in a process namespace it ends with it, at once.
  const apart = ['--pid', '--kill-child', '--', 'keepalived'];
  const args = [...apart, ...how, `--use-file=${configuration}`, ...pidFiles];
  return { name, file: 'unshare', args };
}

const runFolder = (folder: string, { name: node }: Host): string => join(folder, `${node}.run`);

/** VRRP 3, which alone knows intervals below a second; who returns takes nothing back, as with us. */
function configurationOf(one: {
  readonly host: string;
  readonly advertSeconds: number;
  readonly priority: number;
}): string {
  return [
    'global_defs {',
    `  router_id ${one.host}`,
    '  vrrp_version 3',
    '}',
    'vrrp_instance bench {',
    '  state BACKUP',
    '  nopreempt',
    '  interface eth0',
    '  virtual_router_id 51',
    `  priority ${one.priority}`,
    `  advert_int ${one.advertSeconds}`,
    '  virtual_ipaddress {',
    `    ${address}/32 dev eth0`,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** `Keepalived v2.2.7 (01/16,2022)`, on the standard error. */
async function versionOfKeepalived(): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await outcomeOf('keepalived', ['--version']);
    return /^Keepalived v(\S+)/m.exec(stdout + stderr)?.[1];
  } catch {
    // It cannot be started: it is not there.
    return undefined;
  }
}

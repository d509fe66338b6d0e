import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { outcomeOf } from './command.ts';

/** The commands the lab calls, and the Debian package of each. */
const tools: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  tc: 'iproute2',
  nft: 'nftables',
  arping: 'iputils-arping',
  ndisc6: 'ndisc6',
  sysctl: 'procps',
  tcpdump: 'tcpdump',
  curl: 'curl',
  setpriv: 'util-linux',
};

/** What the lab lacks on this machine, each with how to get it; empty when it can run. */
export async function missing(): Promise<string[]> {
  const absent = Object.keys(tools).filter((tool) => !isOnPath(tool));
  const packages = [...new Set(absent.map((tool) => tools[tool]))].join(' ');
  const install = `as root, \`make setup\` or \`apt-get install ${packages}\` brings it`;
  const faults = absent.length === 0 ? [] : [`not installed: ${absent.join(', ')}; ${install}`];
  if (process.getuid?.() !== 0) {
    return [...faults, 'network namespaces need root: run it again with `sudo`'];
  }
  if (!existsSync('/proc/sys/net/ipv6')) {
    return [...faults, 'the hosts need IPv6: this kernel was started with ipv6.disable=1'];
  }
  return absent.length > 0 ? faults : await refusedByKernel();
}

/** A container without CAP_SYS_ADMIN has a root that may not make namespaces. */
async function refusedByKernel(): Promise<string[]> {
  const inside = 'ip link add lab type bridge && ip link add port type veth && nft list tables';
  const tried = await outcomeOf('unshare', ['--net', 'sh', '-c', inside]);
  if (tried.code === 0) return [];
  const said = tried.stderr.trim().split('\n')[0] ?? '';
  return [
    `this machine refuses network namespaces with bridges and nftables (${said}): in a container, start it with --privileged`,
  ];
}

export function isOnPath(tool: string): boolean {
  return (env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const faults = await missing();

/**
 * The options of a test that opens a lab: skipped, saying why, where the lab cannot run. `E2E_REQUIRE=1`
 * takes that excuse away, and opening the lab then fails with the same words.
 */
export const needsLab: { readonly skip: string | false } = {
  skip: faults.length === 0 || env['E2E_REQUIRE'] === '1' ? false : faults.join('; '),
};

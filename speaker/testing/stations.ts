import { spawn } from 'node:child_process';

import { type Host, ip, type TwoHosts } from '../io/testing/two-hosts.ts';

/** For tests: what a machine beside us does about an address, with its own tools. */
type Station = {
  readonly address: (last: number) => string;
  /** Wants to have the address and asks whether it is free; says what came of it, and undefined while it waits. */
  readonly probe: (hosts: TwoHosts, address: string) => () => 'free' | 'taken' | undefined;
  /** Has the address, and announces it unasked. */
  readonly claim: (hosts: TwoHosts, address: string) => void;
  /** Has it no more. */
  readonly yield: (hosts: TwoHosts, address: string) => void;
};

const hostBits = { IPv4: 32, IPv6: 128 } as const;

const add = ({ namespace, link }: Host, address: string, ...how: readonly string[]): void => {
  ip('-n', namespace, 'address', 'add', address, 'dev', link, ...how);
};

const set = ({ far }: TwoHosts, name: string, value: number): void => {
  const setting = `net.ipv6.conf.${far.link}.${name}=${value}`;
  ip('netns', 'exec', far.namespace, 'sysctl', '-qw', setting);
};

const withdraw =
  (family: keyof typeof hostBits) =>
  ({ far }: TwoHosts, address: string): void => {
    ip('-n', far.namespace, 'address', 'delete', `${address}/${hostBits[family]}`, 'dev', far.link);
  };

export const stations: Readonly<Record<keyof typeof hostBits, Station>> = {
  IPv4: {
    address: (last) => `198.51.100.${last}`,
    probe: (hosts, address) => {
      using _ = hosts.enter(hosts.far);
      const words = ['-D', '-c', '1', '-w', '2', '-I', hosts.far.link, address];
      const probe = spawn('arping', words, { stdio: 'ignore' });
      return () => (probe.exitCode === null ? undefined : probe.exitCode === 1 ? 'taken' : 'free');
    },
    claim: (hosts, address) => {
      add(hosts.far, `${address}/32`);
      using _ = hosts.enter(hosts.far);
      spawn('arping', ['-U', '-c', '1', '-I', hosts.far.link, address], { stdio: 'ignore' });
    },
    yield: withdraw('IPv4'),
  },
  IPv6: {
    address: (last) => `2001:db8::${last}`,
    // The kernel itself asks, in duplicate address detection.
    probe: (hosts, address) => {
      const { far } = hosts;
      set(hosts, 'accept_dad', 1);
      add(far, `${address}/128`);
      return () => {
        const shown = ip('-n', far.namespace, 'address', 'show', 'to', address, 'dev', far.link);
        if (shown.includes('dadfailed')) return 'taken';
        return shown.includes('tentative') ? undefined : 'free';
      };
    },
    // A kernel that is to notify announces its addresses when its MAC is set, to the same one, too.
    claim: (hosts, address) => {
      const { namespace, link, mac } = hosts.far;
      set(hosts, 'ndisc_notify', 1);
      add(hosts.far, `${address}/128`, 'nodad');
      ip('-n', namespace, 'link', 'set', link, 'address', mac);
    },
    yield: withdraw('IPv6'),
  },
};

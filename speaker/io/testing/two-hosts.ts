import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';

import { check, libc } from '../libc.ts';

/**
 * For tests: two hosts, each a network namespace, at the ends of one cable (a veth pair). The
 * kernel of the far one is the judge of what we send.
 */
export type Host = {
  readonly namespace: string;
  readonly link: string;
  readonly mac: string;
  readonly address: string;
  readonly address6: string;
};

/** Options for `describe`: skips, saying why; with `E2E_REQUIRE=1` the tests run, and fail, all the same. */
export type Needs = { readonly skip: string | false };
export const unless = (met: boolean, reason: string): Needs => ({
  skip: met || env['E2E_REQUIRE'] === '1' ? false : reason,
});

const onLinux = process.platform === 'linux';
export const needsLinux = unless(onLinux, `needs Linux, this is ${process.platform}`);

/** What two hosts lack on this machine; undefined when they can be connected. */
function lacking(): string | undefined {
  if (!onLinux || process.getuid?.() !== 0) {
    return 'needs Linux and root for network namespaces: run it with sudo';
  }
  if (!existsSync('/proc/sys/net/ipv6')) {
    return 'needs a kernel with IPv6: it was started with ipv6.disable=1, or built without';
  }
  const folders = (env['PATH'] ?? '').split(':');
  const absent = ['ip', 'bash', 'arping', 'setpriv', 'sysctl'].filter(
    (tool) => !folders.some((folder) => existsSync(join(folder, tool))),
  );
  if (absent.length === 0) return undefined;
  return `needs ${absent.join(', ')}: apt-get install iproute2 bash iputils-arping util-linux procps`;
}

const lack = lacking();
export const needsTwoHosts = unless(lack === undefined, lack ?? '');

const namespaces = '/run/netns';
const prefix = 'mercury-io-';

export class TwoHosts implements Disposable {
  readonly near: Host = host('near', 10);
  readonly far: Host = host('far', 11);

  constructor() {
    if (lack !== undefined) throw new Error(`connecting two hosts ${lack}`);
    removeLeftovers();
    for (const { namespace } of [this.near, this.far]) {
      ip('netns', 'add', namespace);
      // Else the first seconds of every link are spent on finding out that its own address is free.
      ip('netns', 'exec', namespace, 'sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0');
    }
    this.connect();
  }

  /** Plugs the cable in; at first, and again after `cut`. */
  connect(): void {
    const { near, far } = this;
    const end = ({ namespace, link, mac }: Host): string[] => [
      link,
      'netns',
      namespace,
      'address',
      mac,
    ];
    ip('link', 'add', ...end(near), 'type', 'veth', 'peer', 'name', ...end(far));
    for (const { namespace, link, address, address6 } of [near, far]) {
      ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', link);
      ip('-n', namespace, 'address', 'add', `${address6}/64`, 'dev', link, 'nodad');
      ip('-n', namespace, 'link', 'set', link, 'up');
    }
    const endMs = performance.now() + 5_000;
    while (!this.#speakIPv6()) {
      if (performance.now() > endMs) throw new Error('the hosts have no IPv6 after 5 s');
      execFileSync('sleep', ['0.02']);
    }
  }

  /** Takes both devices away for good. */
  cut(): void {
    ip('-n', this.near.namespace, 'link', 'delete', this.near.link);
  }

  /** `enter`ed, this thread is on that host: its sockets and children are, until disposed. */
  enter({ namespace }: Host): Disposable {
    const home = openSync('/proc/thread-self/ns/net', 'r');
    move(`${namespaces}/${namespace}`);
    return {
      [Symbol.dispose]: () => {
        check('leaving a network namespace', libc().setns(home, CLONE_NEWNET));
        closeSync(home);
      },
    };
  }

  /** Makes the kernel of this host ask for an address: it sends a datagram there. */
  ask(asker: Host, address: string): void {
    using _ = this.enter(asker);
    execFileSync('bash', ['-c', `echo > /dev/udp/${address}/9`]);
  }

  /** What the kernel of this host has in its neighbour table: `[lladdr MAC] STATE`, or nothing. */
  neighbour({ namespace, link }: Host, address: string): string {
    const line = ip('-n', namespace, 'neighbour', 'show', 'to', address, 'dev', link);
    return line.slice(address.length).trim();
  }

  [Symbol.dispose](): void {
    for (const { namespace } of [this.near, this.far]) ip('netns', 'delete', namespace);
  }

  /** A link speaks IPv6 some time after it has its carrier, and has an address of its own from then on. */
  #speakIPv6(): boolean {
    return [this.near, this.far].every(({ namespace, link }) => {
      const shown = ip('-n', namespace, 'address', 'show', 'dev', link, 'scope', 'link');
      return shown.includes('fe80::') && !shown.includes('tentative');
    });
  }
}

/** Runs iproute2; its standard output. */
export const ip = (...words: readonly string[]): string =>
  execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const host = (name: string, last: number): Host => ({
  namespace: `${prefix}${process.pid}-${name}`,
  link: `cable-${name}`,
  mac: `02:00:00:00:00:${last.toString(16).padStart(2, '0')}`,
  address: `198.51.100.${last}`,
  address6: `2001:db8::${last}`,
});

const CLONE_NEWNET = 0x40000000;

function move(path: string): void {
  const fd = openSync(path, 'r');
  check(`entering the network namespace ${path}`, libc().setns(fd, CLONE_NEWNET));
  closeSync(fd);
}

/** A test that was killed could not clean up; its process id, now unused, is in the name. */
function removeLeftovers(): void {
  if (!existsSync(namespaces)) return;
  for (const name of readdirSync(namespaces)) {
    if (!name.startsWith(prefix)) continue;
    const owner = name.slice(prefix.length).split('-')[0];
    if (!existsSync(`/proc/${owner}`)) ip('netns', 'delete', name);
  }
}

import { isIPv6 } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Mac, parseMac } from '../../net/mac.ts';
import type { Host } from './host.ts';
import { until } from '../../daemon/testing/until.ts';

/**
 * A neighbour on the LAN that judges by tools which know nothing of us: the kernel's neighbour table,
 * arping, ndisc6, curl, tcpdump.
 */
export class Client {
  readonly host: Host;
  #captures = 0;

  constructor(host: Host) {
    this.host = host;
  }

  /** The IPv4 neighbour table of the kernel, read through the package `arp-a`. */
  async neighbours(): Promise<ReadonlyMap<string, Mac>> {
    const printed = await this.host.run(process.execPath, [neighboursProgram]);
    const lines = printed.split('\n').filter((line) => line !== '');
    const entries = lines.map((line) => JSON.parse(line) as { address: string; mac: string });
    return new Map(entries.map(({ address, mac }) => [address, mac]));
  }

  /** The MAC of every answer to one such question, with repetitions; waits a second for late ones. */
  async answers(address: string, link = 'eth0'): Promise<Mac[]> {
    const many = isIPv6(address) ? this.#ndisc6('-m', address) : undefined;
    return macsIn(await (many ?? this.#arping(['-b', '-w', '1'], address, link)));
  }

  /**
   * The first answer to a question to all, or to the group of an IPv6 address, undefined when there is none in
   * that time. For ndisc6 an announcement that comes by meanwhile is an answer, too.
   */
  async ask(address: string, withinMs = 1_000): Promise<Mac | undefined> {
    const one = isIPv6(address) ? this.#ndisc6('-1', address, withinMs) : undefined;
    return macsIn(await (one ?? this.#arping(['-f', '-w', '1'], address, 'eth0', withinMs)))[0];
  }

  /** Where the kernel believes an address to be. */
  async macOf(address: string): Promise<Mac | undefined> {
    if (!isIPv6(address)) return (await this.neighbours()).get(address);
    return parseMac(/^lladdr (\S+)/.exec(await this.neighbour(address))?.[1] ?? '');
  }

  /** What the kernel's table says of one address: `lladdr MAC STATE`, FAILED, or nothing. */
  async neighbour(address: string): Promise<string> {
    const line = await this.host.run('ip', ['neighbour', 'show', 'to', address, 'dev', 'eth0']);
    return line.slice(address.length).trim();
  }

  /** The body behind a URL; throws what curl says when there is none within two seconds. */
  curl(url: string): Promise<string> {
    return this.host.run('curl', ['--silent', '--show-error', '--fail', '--max-time', '2', url]);
  }

  /** Forgets what the kernel learned about the neighbours, so that it has to ask again. */
  async forgetNeighbours(): Promise<void> {
    await this.host.run('ip', ['neigh', 'flush', 'all']);
  }

  /** Frames that tcpdump sees on the client's wire while something happens, one line each. */
  async capture(filter: string, happen: () => Promise<void>): Promise<string[]> {
    const lines: string[] = [];
    const running = this.host.spawn({
      name: `tcpdump-${(this.#captures += 1)}`,
      file: 'tcpdump',
      args: ['-i', 'eth0', '-l', '-n', '-e', '-t', '--immediate-mode', filter],
    });
    running.output.on('data', (chunk) => lines.push(String(chunk)));
    await until('tcpdump listens', () => this.host.logOf(running.name, 1).includes('listening on'));
    await happen();
    await running.stop();
    return lines
      .join('')
      .split('\n')
      .filter((line) => line !== '');
  }

  /** Waits for so many frames on the client's wire; throws when they do not come. */
  async seeFrames(filter: string, count: number, timeoutMs: number): Promise<void> {
    const args = ['-i', 'eth0', '-n', '--immediate-mode', '-c', String(count), filter];
    const { code } = await this.host.outcomeOf('tcpdump', args, { timeoutMs });
    if (code === 0) return;
    throw new Error(`${count} frames matching '${filter}' were not seen within ${timeoutMs} ms`);
  }

  async #ndisc6(how: '-1' | '-m', address: string, withinMs = 1_000): Promise<string> {
    // Its long options do not all do what the short ones do.
    const args = [how, '-q', '-r', '1', '-w', String(withinMs), address, 'eth0'];
    const { code, stdout, stderr } = await this.host.outcomeOf('ndisc6', args);
    // 2 is "nobody answered".
    if (code === 0 || code === 2) return stdout;
    throw new Error(`ndisc6 ${args.join(' ')}: ${stderr.trim()}`);
  }

  async #arping(
    options: readonly string[],
    address: string,
    link = 'eth0',
    withinMs = 1_000,
  ): Promise<string> {
    const args = [...options, '-I', link, address];
    // It counts in whole seconds: for less it has to be ended.
    const sooner = withinMs < 1_000;
    const limit = sooner ? { timeoutMs: withinMs } : {};
    const { code, stdout, stderr } = await this.host.outcomeOf('arping', args, limit);
    // 1 is "nobody answered"; more is a fault of ours.
    if (code === 0 || code === 1 || (code === undefined && sooner)) return stdout;
    throw new Error(`arping ${args.join(' ')}: ${stderr.trim()}`);
  }
}

/** `Unicast reply from 198.51.100.11 [02:00:00:00:00:11]  0.7ms`, or the MAC alone: a line per answer. */
function macsIn(printed: string): Mac[] {
  return printed.split('\n').flatMap((line) => {
    const said = / reply from .*\[(.+)\]/.exec(line)?.[1] ?? line.trim();
    return parseMac(said) ?? [];
  });
}

const neighboursProgram = fileURLToPath(new URL('./programs/neighbours.ts', import.meta.url));

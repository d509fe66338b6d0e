import {
  fileThatExists,
  flag,
  integerBetween,
  listOf,
  oneOf,
  type Table,
  text,
  type Values,
} from '../daemon/settings.ts';
import type { Log } from '../daemon/log.ts';
import { defaultNamespace } from '../crds/names.ts';
import { type Access, inClusterAccess } from '../kube/access.ts';
import { readPulseKeys, withoutKey } from './pulse-keys.ts';
import type { WireStart } from './orders.ts';

/** Links that are never the way to clients: bridges, tunnels and pod ends. MetalLB ships this list. */
const virtualLinks =
  '^docker.*,^cbr.*,^dummy.*,^virbr.*,^lxcbr.*,^veth.*,^lo$,^cali.*,^tunl.*,^flannel.*,^kube-ipvs.*,^cni.*,^nodelocaldns.*,^lxc.*';

export const settingsTable = {
  nodeName: {
    env: 'METALLB_NODE_NAME',
    parse: text,
    help: 'the name of the Node that this speaker runs on',
  },
  namespace: {
    env: 'METALLB_NAMESPACE',
    fallback: defaultNamespace,
    parse: text,
    help: 'where pools and advertisements are read',
  },
  lbClass: {
    optional: true,
    parse: text,
    help: 'announce only Services of this loadBalancerClass; without it, those that have none',
  },
  ignoreExcludeLb: {
    fallback: false,
    parse: flag,
    help: 'announce from nodes labelled node.kubernetes.io/exclude-from-external-load-balancers too',
  },
  links: {
    optional: true,
    parse: listOf(text),
    help: 'the network interfaces to announce on; without it, all but the excluded ones',
  },
  excludeLinks: {
    fallback: listOf(pattern)(virtualLinks),
    parse: listOf(pattern),
    help: 'patterns of interface names never to announce on',
  },
  responder: {
    env: 'METALLB_RESPONDER',
    fallback: 'auto',
    parse: oneOf('auto', 'kernel', 'packet'),
    help: 'who answers questions: a program in the kernel, which needs the rights BPF and NET_ADMIN, a packet socket, or auto: the first that can',
  },
  pulseMs: {
    fallback: 100,
    parse: integerBetween(20, 10_000),
    help: 'milliseconds between two pulses; a dead node is replaced after three',
  },
  witnessSeconds: {
    fallback: 60,
    parse: integerBetween(0, 86_400),
    help: 'seconds between two times that another node asks on the wire for each address that a node holds; what stays unanswered moves; 0 turns that off',
  },
  pulsePort: {
    env: 'METALLB_ML_BIND_PORT',
    fallback: 7946,
    parse: integerBetween(0, 65535),
    help: 'the UDP port that speakers reach each other at where a switch drops their frames; 0 turns that off',
  },
  probeMs: {
    fallback: 100,
    parse: integerBetween(0, 5000),
    help: 'milliseconds that a station is given to answer each of the three probes for an address before its first use; 0: none is probed',
  },
  pulseKeyFile: {
    optional: true,
    parse: fileThatExists,
    help: 'keys that authenticate pulses, one a line; the first one signs, all are accepted',
  },
  checkKubeProxy: {
    optional: true,
    parse: healthUrl,
    help: "ask this node's kube-proxy here every second, as http://127.0.0.1:10256/healthz; a node where it fails comes last",
  },
  checkGateway: {
    fallback: false,
    parse: flag,
    help: 'ask the default routers of each link every second, by ARP and NDP; a node that does not reach them comes last',
  },
  stateDir: {
    optional: true,
    parse: fileThatExists,
    help: 'a folder that outlives this process; keeps the last plan for a start without API server',
  },
  apiServer: {
    optional: true,
    parse: serverUrl,
    help: 'the URL of the API server; without it, the one of the cluster this Pod runs in',
  },
  tokenFile: {
    optional: true,
    parse: fileThatExists,
    help: 'with --api-server: the bearer token',
  },
  caFile: {
    optional: true,
    parse: fileThatExists,
    help: 'with --api-server: the certificate authority',
  },
  host: {
    env: 'METALLB_HOST',
    fallback: '0.0.0.0',
    parse: text,
    help: 'the address that probes and metrics listen on',
  },
  metricsPort: {
    fallback: 7473,
    parse: integerBetween(0, 65535),
    help: 'the port of probes and metrics; 0 turns them off',
  },
} satisfies Table;

type Settings = Values<typeof settingsTable>;

/** Where the API server is: as the settings say, or the one of the cluster this Pod runs in. */
export function accessOf(
  { apiServer, tokenFile, caFile }: Settings,
  env: Readonly<Record<string, string | undefined>>,
): Access {
  if (apiServer === undefined) return inClusterAccess(env);
  return {
    server: apiServer,
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(caFile === undefined ? {} : { caFile }),
  };
}

/** What the wire thread needs of the settings. Reads the keys; says so where there are none. */
export function wireStart(
  settings: Settings,
  log: Log,
): Omit<WireStart, 'orders' | 'mainAliveUntil'> {
  const { nodeName, pulseMs, witnessSeconds, pulsePort, probeMs, pulseKeyFile } = settings;
  const { links, excludeLinks, responder } = settings;
  if (pulseKeyFile === undefined) {
    log.warn('pulses are not authenticated: anybody on the segment can move addresses', {
      remedy: 'give every speaker the same --pulse-key-file',
    });
  }
  return {
    node: nodeName,
    keys: pulseKeyFile === undefined ? withoutKey() : readPulseKeys(pulseKeyFile),
    shortestPulseMs: pulseMs,
    witnessSeconds,
    pulsePort,
    probeMs,
    links,
    excludedLinks: excludeLinks,
    responder,
    checksKubeProxy: settings.checkKubeProxy !== undefined,
    checksGateway: settings.checkGateway,
  };
}

function pattern(said: string): RegExp {
  try {
    return new RegExp(said);
  } catch (error) {
    throw new Error(`has a faulty pattern: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
}

/** Without TLS: what kube-proxy serves of its health is plain. */
function healthUrl(said: string): string {
  if (URL.parse(said)?.protocol !== 'http:')
    throw new Error('is not a URL such as http://127.0.0.1:10256/healthz');
  return said;
}

function serverUrl(said: string): string {
  const { protocol } = URL.parse(said) ?? {};
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new Error('is not a URL such as https://198.51.100.10:6443');
  }
  return said;
}

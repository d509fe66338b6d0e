import { hostname } from 'node:os';
import { defaultNamespace } from '../crds/names.ts';
import { fileThatExists, integerBetween, text } from '../daemon/settings.ts';

/** What the operator can be told; `--help` prints this table. */
export const settingsTable = {
  kubeconfig: {
    optional: true,
    parse: fileThatExists,
    help: 'kubeconfig file; without it the service account of the Pod, or what kubectl uses',
  },
  context: {
    optional: true,
    parse: text,
    help: 'context of the kubeconfig; without it the current one',
  },
  namespace: {
    env: 'METALLB_NAMESPACE',
    fallback: defaultNamespace,
    parse: text,
    help: 'where pools and advertisements are read, and the lease is kept',
  },
  lbClass: {
    optional: true,
    parse: text,
    help: 'serve Services of this spec.loadBalancerClass; without it those that have none',
  },
  identity: {
    env: 'POD_NAME',
    // In a container the process number is always the same, so that a restart takes its lease back.
    fallback: `${hostname()}-${process.pid}`,
    shown: 'HOST-PROCESS',
    parse: text,
    help: 'name of this process on the lease; no other may have the same',
  },
  leaseSeconds: {
    fallback: 15,
    parse: integerBetween(3, 3600),
    help: 'how long after the end of the leading operator another may take over',
  },
  restSeconds: {
    fallback: 60,
    parse: integerBetween(0, 86_400),
    help: 'how long a released address is left alone while others are free; 0 is not at all',
  },
  metricsPort: {
    fallback: 7472,
    parse: integerBetween(0, 65_535),
    help: 'port of /metrics, /livez and /readyz; 0 is none',
  },
  host: {
    env: 'METALLB_HOST',
    fallback: '::',
    parse: text,
    help: 'address that the metrics port listens on',
  },
} as const;

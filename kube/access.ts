import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

/** Where the API server is and how to prove who we are. Files are read again when they change. */
export type Access = {
  /** `https://host:port`, `http://…`, or either with a path in front of the API. */
  readonly server: string;
  readonly caFile?: string;
  /** PEM, where there is no file. */
  readonly ca?: string;
  readonly tokenFile?: string;
  /** PEM of a client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Asked before every call: for logins that hand out headers. */
  readonly headers?: () => Promise<Record<string, string>>;
};

/** Where the kubelet mounts a Pod's service account. */
const serviceAccountDir = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The access of a Pod to its own API server. Throws an `Error` naming everything that is missing. */
export function inClusterAccess(
  env: Readonly<Record<string, string | undefined>>,
  dir: string = serviceAccountDir,
): Access {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '';
  const tokenFile = join(dir, 'token');
  const caFile = join(dir, 'ca.crt');
  const missing = [
    ...(host === '' ? ['the variable KUBERNETES_SERVICE_HOST'] : []),
    ...(port === '' ? ['the variable KUBERNETES_SERVICE_PORT'] : []),
    ...[tokenFile, caFile].filter((file) => !existsSync(file)).map((file) => `the file ${file}`),
  ];
  if (missing.length > 0) {
    throw new Error(
      `this process does not look like a Pod with a service account: ${missing.join(', ')} missing. ` +
        'Name the API server in the settings, or check automountServiceAccountToken.',
    );
  }
  const name = isIPv6(host) ? `[${host}]` : host;
  return { server: `https://${name}:${port}`, caFile, tokenFile };
}

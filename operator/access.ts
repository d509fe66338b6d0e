import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import { type Access, inClusterAccess } from '../kube/access.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Where the settings say that the API server is; nothing said: as kubectl would find it. */
type Whereabouts = {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
};

/**
 * The way to the API server: a kubeconfig that is named, or the service account of the Pod we
 * are in, or the kubeconfig that kubectl would use. Throws an `Error` that says what is missing.
 */
export async function openAccess({ kubeconfig, context }: Whereabouts, env: Env): Promise<Access> {
  const named = kubeconfig !== undefined || context !== undefined;
  if (!named && env['KUBERNETES_SERVICE_HOST'] !== undefined) return inClusterAccess(env);
  const files = kubeconfig?.split(':') ?? defaultFiles(env);
  if (files.length === 0) {
    throw new Error(
      'there is no API server to talk to: give --kubeconfig, set KUBECONFIG, or run in a Pod',
    );
  }
  const config = loadFiles(files);
  if (context !== undefined) config.setCurrentContext(context);
  return await accessOf(config, files.join(':'));
}

function defaultFiles(env: Env): readonly string[] {
  const listed = (env['KUBECONFIG'] ?? '').split(':').filter((file) => file !== '');
  const own = join(env['HOME'] ?? '', '.kube', 'config');
  return listed.length === 0 && existsSync(own) ? [own] : listed;
}

function loadFiles(files: readonly string[]): KubeConfig {
  const config = new KubeConfig();
  for (const file of files) {
    try {
      const next = new KubeConfig();
      next.loadFromFile(file);
      // As kubectl merges them: what comes first wins.
      config.mergeConfig(next, config.currentContext !== undefined);
    } catch (cause) {
      throw new Error(`reading the kubeconfig ${file}`, { cause });
    }
  }
  return config;
}

async function accessOf(config: KubeConfig, file: string): Promise<Access> {
  const context = config.getCurrentContext();
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const known = config.getContexts().map(({ name }) => name);
    throw new Error(
      `the kubeconfig ${file} has no context ${JSON.stringify(context ?? '')} with a cluster: ` +
        `choose one of ${known.join(', ') || 'none'} with --context`,
    );
  }
  const unsupported = findUnsupported(cluster);
  if (unsupported !== undefined) {
    throw new Error(`the cluster ${cluster.name} of the kubeconfig ${file} has ${unsupported}`);
  }
  const user = config.getCurrentUser() ?? undefined;
  const login = loginOf(config, cluster);
  const { cert, key } = await login();
  return {
    server: cluster.server.replace(/\/$/, ''),
    ...(cluster.caFile === undefined ? {} : { caFile: cluster.caFile }),
    ...(cluster.caData === undefined ? {} : { ca: decode(cluster.caData) }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    headers: isLasting(user) ? lasting(login) : async () => (await login()).headers,
  };
}

function findUnsupported({ skipTLSVerify, server, tlsServerName, proxyUrl }: Cluster) {
  if (skipTLSVerify && server.startsWith('https:')) {
    return 'insecure-skip-tls-verify, which would hand out addresses for anybody: give its CA';
  }
  if (tlsServerName !== undefined) return 'tls-server-name: give a server name that is certified';
  if (proxyUrl !== undefined) return 'proxy-url: give an address that can be reached directly';
  return undefined;
}

type Login = { readonly headers: Record<string, string>; cert?: string; key?: string };

/** What the user's tokens, plugins and certificates come to at the moment. */
function loginOf(config: KubeConfig, cluster: Cluster): () => Promise<Login> {
  const asking = new KubeConfig();
  asking.loadFromOptions({
    // client-node refuses plain HTTP unless told that certificates do not matter; here none is used.
    clusters: [{ ...cluster, skipTLSVerify: cluster.server.startsWith('http:') }],
    contexts: config.contexts,
    users: config.users,
    currentContext: config.currentContext,
  });
  return async () => {
    const options: RequestOptions = {};
    await asking.applyToHTTPSOptions(options);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value !== undefined) headers[name] = String(value);
    }
    if (typeof options.auth === 'string') {
      headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    }
    const [cert, key] = [pem(options.cert), pem(options.key)];
    return {
      headers,
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  };
}

/** Plugins and providers hand out tokens that expire; all else is good for the life of the process. */
const isLasting = (user: User | undefined): boolean =>
  user?.exec === undefined && user?.authProvider === undefined;

function lasting(login: () => Promise<Login>): () => Promise<Record<string, string>> {
  const once = login();
  return async () => (await once).headers;
}

const pem = (data: unknown): string | undefined =>
  Buffer.isBuffer(data) ? data.toString('utf8') : typeof data === 'string' ? data : undefined;

const decode = (data: string): string => Buffer.from(data, 'base64').toString('utf8');

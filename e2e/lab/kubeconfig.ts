import { writeFileSync } from 'node:fs';

/** A kubeconfig for an API server that asks for no credentials, in JSON, which is YAML too. */
export function writeKubeconfig(path: string, server: string): void {
  const name = 'mercurylb-lab';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  writeFileSync(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
}

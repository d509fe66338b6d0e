import type { Credentials } from './authority.ts';

export type Kubeconfig = {
  readonly server: string;
  /** PEM of the authority that vouches for the server. */
  readonly ca: string;
  readonly user: Credentials | { readonly token: string };
};

/** A kubeconfig with everything in it, in JSON, which is YAML too. */
export function formatKubeconfig({ server, ca, user }: Kubeconfig): string {
  const name = 'mercurylb';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name, user: 'token' in user ? user : certificateData(user) }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

const certificateData = ({ cert, key }: Credentials) => ({
  'client-certificate-data': base64(cert),
  'client-key-data': base64(key),
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

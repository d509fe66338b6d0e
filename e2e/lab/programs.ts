import { fileURLToPath } from 'node:url';
import type { LabResponder } from './cluster.ts';
import type { Host, Program } from './host.ts';
import { backendPort } from './service-proxy.ts';

/** The real mains as they are started in the lab, and the backend of a node. */

export const apiServerPort = 6443;
export const systemNamespace = 'metallb-system';

/** The path of a file of the project. */
export const fromRoot = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));

export function apiServer(control: Host, socketPath: string): Program {
  return program('apiserver', 'e2e/apiserver/main.ts', {
    listen: `${control.address}:${apiServerPort}`,
    socket: socketPath,
  });
}

export function operator(kubeconfigPath: string): Program {
  return program('operator', 'operator/main.ts', {
    kubeconfig: kubeconfigPath,
    namespace: systemNamespace,
    'metrics-port': '0',
  });
}

export type SpeakerOptions = {
  readonly server: string;
  readonly keyPath: string;
  readonly stateFolder: string;
  readonly responder: LabResponder;
  /** Undefined: as often as by default. */
  readonly witnessSeconds?: number | undefined;
};

export function speaker(
  host: Host,
  { server, keyPath, stateFolder, responder, witnessSeconds }: SpeakerOptions,
): Program {
  return program('speaker', 'speaker/main.ts', {
    'node-name': host.name,
    'api-server': server,
    namespace: systemNamespace,
    'pulse-key-file': keyPath,
    'state-dir': stateFolder,
    host: host.address,
    'metrics-port': '7473',
    responder,
    ...(witnessSeconds === undefined ? {} : { 'witness-seconds': String(witnessSeconds) }),
  });
}

export function backend(host: Host): Program {
  const main = fromRoot('e2e/lab/programs/backend.ts');
  const args = [main, host.name, `${host.address},${host.address6}`, String(backendPort)];
  return { name: 'backend', file: process.execPath, args };
}

function program(name: string, main: string, flags: Readonly<Record<string, string>>): Program {
  const given = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  return { name, file: process.execPath, args: [fromRoot(main), ...given] };
}

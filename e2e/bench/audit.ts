import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/**
 * What the API server itself says it was asked, by whom: its audit log. It is written before a request counts as
 * done, so that what was answered is there.
 */
export type Audit = {
  /** Where the log ends now. */
  mark(): number;
  /** What this user asked since then. */
  since(mark: number, user: string): Requests;
};

/** By `verb resource[/subresource]`; of refused ones with their code behind. */
export type Requests = ReadonlyMap<string, Span>;

/** Requests of a kind: how many, and from the arrival of the first to the answer of the last, by the API server's clock. */
export type Span = { readonly count: number; readonly firstMs: number; readonly lastMs: number };

export const statusWrite = 'patch services/status';
export const creation = 'create services';

/** Throws where there were none. */
export function spanOf(requests: Requests, name: string): Span {
  const span = requests.get(name);
  if (span === undefined) throw new Error(`the audit log has no \`${name}\``);
  return span;
}

export const perSecond = ({ count, firstMs, lastMs }: Span): number =>
  count / ((lastMs - firstMs) / 1_000);

/** The flags of kube-apiserver, and the policy that they name. */
export const auditFlags = (policyPath: string, logPath: string) => ({
  'audit-policy-file': policyPath,
  'audit-log-path': logPath,
  // In one file, whatever is written.
  'audit-log-maxsize': 100_000,
  'audit-log-mode': 'blocking',
});

export const auditPolicy = (users: readonly string[]): object => ({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', users }, { level: 'None' }],
});

export function readAudit(logPath: string): Audit {
  return {
    mark: () => statSync(logPath, { throwIfNoEntry: false })?.size ?? 0,
    since: (mark, user) => summarize(readFrom(logPath, mark), user),
  };
}

function readFrom(path: string, mark: number): string {
  const file = openSync(path, 'r');
  try {
    const rest = Buffer.alloc(fstatSync(file).size - mark);
    const length = readSync(file, rest, 0, rest.length, mark);
    return rest.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}

/** audit.k8s.io/v1 Event, as far as it is read here. */
type AuditEvent = {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
};

export function summarize(log: string, user: string): Requests {
  const requests = new Map<string, Span>();
  for (const line of log.split('\n')) {
    if (line === '') continue;
    // The API server has written it.
    const event = JSON.parse(line) as AuditEvent;
    if (event.user.username !== user || !isCounted(event)) continue;
    const name = nameOf(event);
    const before = requests.get(name) ?? { count: 0, firstMs: Infinity, lastMs: -Infinity };
    requests.set(name, {
      count: before.count + 1,
      firstMs: Math.min(before.firstMs, Date.parse(event.requestReceivedTimestamp)),
      lastMs: Math.max(before.lastMs, Date.parse(event.stageTimestamp)),
    });
  }
  return requests;
}

/** Each request once: a watch when it begins, any other when it was answered. */
const isCounted = ({ stage, verb }: AuditEvent): boolean =>
  stage === (verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete');

function nameOf({ verb, objectRef, responseStatus }: AuditEvent): string {
  const { resource = 'other', subresource } = objectRef ?? {};
  const code = responseStatus?.code ?? 200;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return code < 300 ? `${verb} ${what}` : `${verb} ${what} ${code}`;
}

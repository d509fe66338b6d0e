import type { JsonObject } from './json.ts';
import type { Cause } from './field-fault.ts';
import type { Resource } from './resource.ts';

type Details = {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: JsonObject;
};

/** A request that is answered with a Status object of kind Failure. */
export class Refusal extends Error {
  readonly code: number;
  readonly status: JsonObject;

  constructor({ code, reason, message, details }: Details) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** `services`, or `ipaddresspools.metallb.io` outside the core group. */
export const qualified = ({ plural, group }: { plural: string; group: string }): string =>
  group === '' ? plural : `${plural}.${group}`;

const about = (resource: Resource, name: string): JsonObject => ({
  ...(name === '' ? {} : { name }),
  ...(resource.group === '' ? {} : { group: resource.group }),
  kind: resource.plural,
});

export const badRequest = (message: string): Refusal =>
  new Refusal({ code: 400, reason: 'BadRequest', message });

export const noSuchPath = (): Refusal =>
  new Refusal({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  });

export const notFound = (resource: Resource, name: string): Refusal =>
  new Refusal({
    code: 404,
    reason: 'NotFound',
    message: `${qualified(resource)} "${name}" not found`,
    details: about(resource, name),
  });

export const alreadyExists = (resource: Resource, name: string): Refusal =>
  new Refusal({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualified(resource)} "${name}" already exists`,
    details: about(resource, name),
  });

export const conflict = (resource: Resource, name: string, why?: string): Refusal =>
  new Refusal({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${
      why ??
      'the object has been modified; please apply your changes to the latest version and try again'
    }`,
    details: about(resource, name),
  });

export const forbidden = (resource: Resource, name: string, why: string): Refusal =>
  new Refusal({
    code: 403,
    reason: 'Forbidden',
    message: `${qualified(resource)} "${name}" is forbidden: ${why}`,
    details: about(resource, name),
  });

/** 422: the object itself is wrong; every fault is listed. */
export function invalid(resource: Resource, name: string, causes: readonly Cause[]): Refusal {
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  const lines = causes.map(({ field, message }) => `${field}: ${message}`);
  return new Refusal({
    code: 422,
    reason: 'Invalid',
    message: `${kind} "${name}" is invalid: ${lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.kind,
      causes: causes.map((cause) => ({ ...cause })),
    },
  });
}

/** 422 for what a query or the options of a delete say, not an object. */
export function invalidOptions(kind: string, causes: readonly Cause[]): Refusal {
  const lines = causes.map(({ field, message }) => `${field}: ${message}`);
  return new Refusal({
    code: 422,
    reason: 'Invalid',
    message: `${kind}.meta.k8s.io "" is invalid: ${lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`}`,
    details: { group: 'meta.k8s.io', kind, causes: causes.map((cause) => ({ ...cause })) },
  });
}

/** 410: the history that the client asks for has been thrown away; it must list again. */
export const expired = (message: string): Refusal =>
  new Refusal({ code: 410, reason: 'Expired', message });

export const fromTheFuture = (asked: number, current: number): Refusal =>
  new Refusal({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  });

export const methodNotAllowed = (): Refusal =>
  new Refusal({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });

export const unsupportedMedia = (accepted: readonly string[]): Refusal =>
  new Refusal({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  });

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { addressToBytes, parseAddress } from '../../net/address.ts';
import * as der from './der.ts';

/** A certificate and its private key, in PEM. */
export type Credentials = { readonly cert: string; readonly key: string };

type Subject = {
  /** The user, for a client. */
  readonly name: string;
  /** The group, for a client. */
  readonly organization?: string;
  /** DNS names and addresses of a server. */
  readonly hosts?: readonly string[];
};

/** Signs certificates for servers and clients of a cluster. `cert` is its own, in PEM. */
export type Authority = { readonly cert: string; issue(subject: Subject): Credentials };

/**
 * An authority nobody else trusts. Its certificates, and those it issues, are valid from a day before `now` until
 * 30 days after: a node whose clock is hours off is a case to test, not a reason to fail.
 */
export function makeAuthority(name: string, now: Date): Authority {
  const own = makeKeys();
  const issue = (subject: Subject, keys: Keys, extensions: readonly Uint8Array[]): string =>
    certificate({ issuer: { name }, signer: own.privateKey, subject, keys, extensions, now });
  return {
    cert: issue({ name }, own, [isAuthority, mayBeUsedTo(keyCertSign)]),
    issue: (subject) => {
      const keys = makeKeys();
      const extensions = [mayBeUsedTo(digitalSignature), forBothSides, ...namesOf(subject)];
      const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      return { cert: issue(subject, keys, extensions), key };
    },
  };
}

type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
const makeKeys = (): Keys => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A key that signs service-account tokens, in PEM. */
export const makeSigningKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

const dayMs = 86_400_000;
const ecdsaWithSha256 = der.sequence(der.identifier('1.2.840.10045.4.3.2'));

/** RFC 5280 §4.1: what is signed, how it is signed, the signature. */
function certificate({
  issuer,
  signer,
  subject,
  keys,
  extensions,
  now,
}: {
  issuer: Subject;
  signer: KeyObject;
  subject: Subject;
  keys: Keys;
  extensions: readonly Uint8Array[];
  now: Date;
}): string {
  const inDays = (days: number): Buffer => der.time(new Date(now.getTime() + days * dayMs));
  const content = der.sequence(
    der.field(0, der.integer(Buffer.of(2))), // Version 3.
    der.integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    ecdsaWithSha256,
    distinguishedName(issuer),
    der.sequence(inDays(-1), inDays(30)),
    distinguishedName(subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der.field(3, der.sequence(...extensions)),
  );
  const signature = sign('sha256', content, signer);
  const whole = der.sequence(content, ecdsaWithSha256, der.bits(signature)).toString('base64');
  const lines = whole.replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName({ name, organization }: Subject): Buffer {
  const part = (type: string, text: string): Buffer =>
    der.set(der.sequence(der.identifier(type), der.text(text)));
  const group = organization === undefined ? [] : [part('2.5.4.10', organization)];
  return der.sequence(...group, part('2.5.4.3', name));
}

/** RFC 5280 §4.2.1: 9 basic constraints, 3 key usage, 12 extended key usage, 6 alternative names. */
const extension = (type: string, critical: boolean, content: Uint8Array): Buffer =>
  der.sequence(der.identifier(type), ...(critical ? [der.yes] : []), der.octets(content));

const isAuthority = extension('2.5.29.19', true, der.sequence(der.yes));

/** A key usage: its bit in the byte, and how many bits come after it. */
const digitalSignature = { byte: 0x80, unused: 7 };
const keyCertSign = { byte: 0x04, unused: 2 };
const mayBeUsedTo = ({ byte, unused }: { byte: number; unused: number }): Buffer =>
  extension('2.5.29.15', true, der.bits(Buffer.of(byte), unused));

const forBothSides = extension(
  '2.5.29.37',
  false,
  der.sequence(der.identifier('1.3.6.1.5.5.7.3.1'), der.identifier('1.3.6.1.5.5.7.3.2')),
);

function namesOf({ hosts = [] }: Subject): readonly Buffer[] {
  if (hosts.length === 0) return [];
  return [extension('2.5.29.17', false, der.sequence(...hosts.map(alternativeName)))];
}

function alternativeName(host: string): Buffer {
  const address = isIP(host) === 0 ? undefined : parseAddress(host);
  if (address === undefined) return der.plainField(2, Buffer.from(host));
  return der.plainField(7, addressToBytes(address));
}

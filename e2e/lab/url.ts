import { isIPv6 } from 'node:net';

/** An IPv6 address stands in brackets (RFC 3986 §3.2.2). */
export const urlOf = (address: string, port = 80): string =>
  `http://${isIPv6(address) ? `[${address}]` : address}${port === 80 ? '' : `:${port}`}/`;

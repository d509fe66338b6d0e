import type { Mac } from '../../net/mac.ts';
import type { Link } from '../io/link.ts';

type WithMac = Link & { readonly mac: Mac };

/** The Ethernet link eth0, up and without addresses, unless it says otherwise. */
export const link = (what: Partial<WithMac> = {}): WithMac => ({
  index: 2,
  name: 'eth0',
  mac: '02:00:00:00:00:01',
  up: true,
  running: true,
  mtu: 1500,
  loopback: false,
  resolves: true,
  enslaved: false,
  addresses: [],
  networks: [],
  ...what,
});

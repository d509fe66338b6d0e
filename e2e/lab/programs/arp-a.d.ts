/** The package brings no types of its own. */
declare module 'arp-a' {
  type Entry = { readonly ip: string; readonly mac: string; readonly iface: string };
  /** A row at a time, and null after the last one. */
  export function table(row: (error: Error | null, entry: Entry | null) => void): void;
}

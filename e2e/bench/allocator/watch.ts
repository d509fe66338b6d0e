/** How long something took, and how much of that this thread computed: others may use the machine, too. */
export type Took = { readonly ms: number; readonly cpuMs: number };

export function startWatch(): () => Took {
  const before = process.threadCpuUsage();
  const startMs = performance.now();
  return () => {
    const ms = performance.now() - startMs;
    const { user, system } = process.threadCpuUsage(before);
    return { ms, cpuMs: (user + system) / 1_000 };
  };
}

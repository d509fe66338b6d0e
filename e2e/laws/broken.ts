import { registerHooks } from 'node:module';
import type { ControllerClass } from './operator.ts';

/** A way to break the operator: a few words of one of its files, and what stands there instead. */
type Breakage = {
  readonly file: string;
  readonly says: string;
  readonly instead: string;
};

/** Mistakes that are easily made. Who cannot tell these from the operator proves nothing about it. */
export const breakages: Readonly<Record<string, Breakage>> = {
  'adopts a Service only when its turn comes': {
    file: 'controller.ts',
    says: 'nodeWorld: this.#nodes.world, lbClass }, ledger)',
    instead: 'nodeWorld: this.#nodes.world, lbClass }, new Ledger(0))',
  },
  'decides before the lists are complete': {
    file: 'controller.ts',
    says: 'await Promise.all([',
    instead: 'void Promise.all([',
  },
  'never has an address free again': {
    file: 'shelf.ts',
    says: 'block?.held.delete(placeOf(value));',
    instead: '',
  },
  'shares an address whatever the ports are': {
    file: 'terms.ts',
    says: 'theirs.ports.find((each) => terms.ports.includes(each))',
    instead: 'theirs.ports.find(() => false)',
  },
  'gives the old address back before the status says the new one': {
    file: 'reconcile.ts',
    says: 'if (patch !== undefined) await ports.write(service, patch, signal);\n  const left',
    instead:
      'ledger.settle(key, clock.nowMs());\n  if (patch !== undefined) await ports.write(service, patch, signal);\n  const left',
  },
  'keeps what it decided and could not write': {
    file: 'enact.ts',
    says: 'const shown = ledger.shownBy(service);',
    instead: 'const shown = ledger.holdingOf(service);',
  },
  'hands out what another machine uses': {
    file: 'pool-addresses.ts',
    says: '  ...rangesOf(foreign?.quarantined),\n',
    instead: '',
  },
  'goes nowhere when another machine uses its address': {
    file: 'fault.ts',
    says: 'if (quarantine !== undefined) return quarantine;',
    instead: '',
  },
};

/** The operator with one of its files changed; the true one is not touched. */
export async function breakController(name: string): Promise<ControllerClass> {
  const breakage = breakages[name];
  if (breakage === undefined) throw new Error(`nobody knows how to break: ${name}`);
  const mark = `?broken=${encodeURIComponent(name)}`;
  const { file, says, instead } = breakage;
  using _hooks = hooksFor(mark, (url, source) => {
    if (!url.endsWith(`/operator/${file}${mark}`)) return source;
    const parts = source.split(says);
    if (parts.length === 2) return parts.join(instead);
    throw new Error(`operator/${file} says ${parts.length - 1} times "${says}": break it anew`);
  });
  const broken = (await import(`../../operator/controller.ts${mark}`)) as {
    readonly Controller: ControllerClass;
  };
  return broken.Controller;
}

/** Under the mark the files of the operator are other modules, which import each other. */
function hooksFor(mark: string, change: (url: string, source: string) => string): Disposable {
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const inside = context.parentURL?.endsWith(mark) === true && found.url.includes('/operator/');
      return inside ? { ...found, url: `${found.url}${mark}` } : found;
    },
    load: (url, context, next) => {
      const loaded = next(url, context);
      if (!url.endsWith(mark)) return loaded;
      const { source } = loaded;
      if (source === undefined || source === null) return loaded;
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
      return { ...loaded, source: change(url, text) };
    },
  });
  return { [Symbol.dispose]: () => hooks.deregister() };
}

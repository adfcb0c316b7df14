import { Worker } from "node:worker_threads";
import type { MissingSymbols } from "../analysis/native-frames.js";
import { ModuleSymbols } from "../symbols/module-symbols.js";
import type { ModuleFunctions, NativeFunction, NativeModule, NativeSymbols } from "../symbols/native-symbols.js";

/** What the thread that looks into modules answers, in the order in which it was asked. */
export type SymbolsFound = readonly ModuleFunctions[];

const NOTHING: readonly NativeFunction[] = [];

/**
 * Native functions' names, looked for in a thread of their own: that takes seconds, in which this one reads. What is to
 * be shown is looked for before it is asked for.
 */
export class LateSymbols implements NativeSymbols {
  readonly #own = new ModuleSymbols();
  readonly #known = new Map<string, { functions: Map<number, readonly NativeFunction[]>; found: ModuleFunctions }>();
  #worker: Worker | undefined;
  #last: Promise<void> = Promise.resolve();

  /** Looks for what is missing; without names where that fails. */
  async lookFor(missing: readonly MissingSymbols[]): Promise<void> {
    // One question after the other: the next one may be for the same.
    const before = this.#last;
    const found = before.then(() => this.#ask(missing.map((one) => this.#unknown(one)).filter(isSomething)));
    this.#last = found.catch(() => {});
    await this.#last;
  }

  lookUp(module: NativeModule, addresses: readonly number[]): ModuleFunctions {
    const known = this.#known.get(keyOf(module));
    const functions = new Map(addresses.map((address) => [address, known?.functions.get(address) ?? NOTHING]));
    return { ...known?.found, functions };
  }

  readable(symbol: string): string {
    return this.#own.readable(symbol);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./symbol-worker.js", import.meta.url));
    worker.unref();
    // Out of memory at worst: what was asked for stays without names, and another one is started for the next.
    worker
      .on("error", () => {})
      .on("exit", () => {
        if (this.#worker === worker) this.#worker = undefined;
      });
    this.#worker = worker;
    return worker;
  }

  #unknown({ module, addresses }: MissingSymbols): MissingSymbols {
    const known = this.#known.get(keyOf(module))?.functions;
    return { module, addresses: addresses.filter((address) => known?.has(address) !== true) };
  }

  async #ask(missing: readonly MissingSymbols[]): Promise<void> {
    if (missing.length === 0) return;
    const worker = this.#worker ?? this.#start();
    const answer = await new Promise<SymbolsFound>((resolve) => {
      const settle = (found: SymbolsFound): void => {
        worker.off("message", settle).off("exit", give);
        resolve(found);
      };
      const give = (): void => settle([]);
      worker.on("message", settle).on("exit", give);
      worker.postMessage(missing);
    });
    for (const [i, { module }] of missing.entries()) {
      const found = answer[i];
      if (found === undefined) continue;
      const functions = this.#known.get(keyOf(module))?.functions ?? new Map<number, readonly NativeFunction[]>();
      for (const [address, at] of found.functions) functions.set(address, at);
      this.#known.set(keyOf(module), { functions, found });
    }
  }
}

function isSomething({ addresses }: MissingSymbols): boolean {
  return addresses.length > 0;
}

function keyOf({ buildId, path }: NativeModule): string {
  return `${buildId} ${path}`;
}

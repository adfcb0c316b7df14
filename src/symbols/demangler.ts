import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as bindings from "gecko-profiler-demangle/index_bg.js";
import { plainSymbol, shortCppName } from "./readable-names.js";
import { limitMemory } from "./wasm-memory.js";

const MANGLED = /^_(?:Z|R[A-Z0-9])/;
/** How Rust's older mangling ends: a hash, and C++'s end of a nested name. */
const RUST_HASH = /17h[0-9a-f]{16}E(?:\..*)?$/;
const MAX_SYMBOL_CHARACTERS = 16 * 1024;
/** A name of a few hundred characters can stand for one of gigabytes; no real one needs 16 MiB. */
const MEMORY_PAGES = 256;

const MOST_FAILURES = 10;

/** The bindings know one. */
let instance: WebAssembly.Instance | undefined;
let failures = 0;

/** Makes symbols readable: C++ and Rust demangled, any name short (see `shortCppName`). */
export class Demangler {
  readonly #names = new Map<string, string>();

  readable(symbol: string): string {
    let name = this.#names.get(symbol);
    if (name === undefined) {
      name = this.#readable(symbol);
      this.#names.set(symbol, name);
    }
    return name;
  }

  #readable(symbol: string): string {
    const plain = plainSymbol(symbol);
    if (!MANGLED.test(plain) || plain.length > MAX_SYMBOL_CHARACTERS) return plain;
    const demangled = demangle(plain);
    if (demangled === undefined) return plain;
    return plain.startsWith("_R") || RUST_HASH.test(plain) ? demangled : shortCppName(demangled);
  }
}

/** Undefined where it is no mangled name. */
function demangle(symbol: string): string | undefined {
  if (failures > MOST_FAILURES) return undefined;
  try {
    instance ??= load();
    const name = bindings.demangle_any(symbol);
    // What it does not know loses its underscore.
    return name === symbol || name === symbol.slice(1) || name === "" ? undefined : name;
  } catch {
    // It ran out of memory, and is of no use any more.
    failures++;
    discard();
    return undefined;
  }
}

/** By hand, since Node.js 20 cannot import WebAssembly. */
function load(): WebAssembly.Instance {
  const file = createRequire(import.meta.url).resolve("gecko-profiler-demangle/index_bg.wasm");
  const module = new WebAssembly.Module(limitMemory(readFileSync(file), MEMORY_PAGES));
  const loaded = new WebAssembly.Instance(module, { "./index_bg.js": { ...bindings } });
  bindings.__wbg_set_wasm(loaded.exports);
  (loaded.exports.__wbindgen_start as () => void)();
  return loaded;
}

function discard(): void {
  // The bindings keep a view of the memory, and make a new one where that has lost its bytes: growing takes them.
  (instance?.exports.memory as { grow(pages: number): number } | undefined)?.grow(0);
  instance = undefined;
}

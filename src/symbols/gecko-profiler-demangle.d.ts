/** The package's own types are for bundlers, which import WebAssembly themselves. */
declare module "gecko-profiler-demangle/index_bg.js" {
  export function __wbg_set_wasm(exports: object): void;
  /** The readable form of a symbol; itself, perhaps without its first underscore, where it has none. */
  export function demangle_any(symbol: string): string;
}

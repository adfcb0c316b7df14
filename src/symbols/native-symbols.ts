/** Names and places of machine code, wherever they come from. */

/** A file of machine code, as a capture tells of it. */
export interface NativeModule {
  readonly path: string;
  /** In hexadecimal; empty for none, UNKNOWN_BUILD_ID where whatever is at the path has to do. */
  readonly buildId: string;
}

/** A function that was executing at an address. */
export interface NativeFunction {
  /** Readable; see `Demangler`. */
  readonly name: string;
  /** The source file; undefined where only the function is known. */
  readonly file: string | undefined;
  /** 1-based; 0 when unknown. */
  readonly line: number;
}

/** What is known of a module's code. */
export interface ModuleFunctions {
  /** By return address: the functions executing there, the innermost of inlined ones first; empty when unknown. */
  readonly functions: ReadonlyMap<number, readonly NativeFunction[]>;
  /** A sentence that says why nothing is known of the whole module. */
  readonly problem?: string;
  /** A sentence that says what is missing although names are known. */
  readonly shortcoming?: string;
}

export interface NativeSymbols {
  /** Looks up all addresses of a module at once. They are return addresses, less the module's load bias. */
  lookUp(module: NativeModule, addresses: readonly number[]): ModuleFunctions;
  /** The readable form of a name in a symbol table. */
  readable(symbol: string): string;
}

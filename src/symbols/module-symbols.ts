import path from "node:path";
import { UNKNOWN_BUILD_ID } from "../capture/records.js";
import { Demangler } from "./demangler.js";
import { ElfFile } from "./elf-file.js";
import type { ModuleFunctions, NativeFunction, NativeModule, NativeSymbols } from "./native-symbols.js";
import { type PlacedFunction, sourceLines } from "./source-lines.js";
import { namesIn } from "./symbol-table.js";

const DEBUG_FOLDER = "/usr/lib/debug";
/** An inlined function whose name the debug information does not tell in a way that addr2line understands. */
const INLINED = "<inlined>";

export interface ModuleSymbolsOptions {
  /** Where separate debug files are; `/usr/lib/debug` unless told. */
  readonly debugFolder?: string;
  /** How long addr2line may take for a module, milliseconds; a minute unless told. */
  readonly timeLimitMs?: number;
}

/** Symbols from the modules' own files on this machine, and from their separate debug files. */
export class ModuleSymbols implements NativeSymbols {
  readonly #demangler = new Demangler();
  readonly #debugFolder: string;
  readonly #timeLimitMs: number | undefined;
  /** By module: what was looked up before. */
  readonly #known = new Map<string, ModuleFunctions & { readonly functions: Map<number, readonly NativeFunction[]> }>();

  constructor({ debugFolder = DEBUG_FOLDER, timeLimitMs }: ModuleSymbolsOptions = {}) {
    this.#debugFolder = debugFolder;
    this.#timeLimitMs = timeLimitMs;
  }

  readable(symbol: string): string {
    return this.#demangler.readable(symbol);
  }

  lookUp(module: NativeModule, addresses: readonly number[]): ModuleFunctions {
    const key = `${module.buildId} ${module.path}`;
    const known = this.#known.get(key);
    const missing = known === undefined ? addresses : addresses.filter((address) => !known.functions.has(address));
    if (known !== undefined && missing.length === 0) return known;
    const { functions, ...found } = this.#read(module, missing);
    for (const [address, at] of known?.functions ?? []) functions.set(address, at);
    const all = { ...known, ...found, functions };
    this.#known.set(key, all);
    return all;
  }

  #read(
    module: NativeModule,
    addresses: readonly number[],
  ): ModuleFunctions & { functions: Map<number, readonly NativeFunction[]> } {
    const functions = new Map<number, readonly NativeFunction[]>(addresses.map((address) => [address, []]));
    const { files, problem } = this.#filesOf(module);
    try {
      // A return address may be the next function's first, where a call does not return.
      const calls = addresses.map((address) => address - 1);
      const names = namesIn(files, calls);
      const lines = this.#linesIn(files, calls);
      for (const address of addresses) {
        const symbol = names.get(address - 1);
        const placed = lines.at.get(address - 1) ?? [];
        // A file without a line is the symbol table's word for where a local symbol comes from.
        if (placed.some(({ line }) => line > 0)) functions.set(address, this.#placed(placed, symbol));
        else if (symbol !== undefined) {
          functions.set(address, [{ name: this.readable(symbol), file: undefined, line: 0 }]);
        }
      }
      const late = `addr2line takes too long for ${module.path}: its frames have no lines.`;
      return { functions, ...(problem && { problem }), ...(lines.late && { shortcoming: late }) };
    } finally {
      for (const file of files) file.close();
    }
  }

  #placed(placed: readonly PlacedFunction[], symbol: string | undefined): NativeFunction[] {
    const outermost = this.readable(placed.at(-1)?.symbol ?? "");
    return placed.map(({ symbol: own, file, line }, i) => {
      const name = this.readable(own);
      // Where the innermost has no name for linking, addr2line gives it that of the function it was inlined into.
      const borrowed = i === 0 && placed.length > 1 && (own === symbol || name === outermost);
      return { name: borrowed || own === "??" ? INLINED : name, file: file === "" ? undefined : file, line };
    });
  }

  #linesIn(files: readonly ElfFile[], addresses: readonly number[]) {
    // A module's own may be that of single objects linked into it, so a debug file comes first.
    const file = files.findLast((one) => [".debug_info", ".debug_line", ".zdebug_info"].some((name) => one.has(name)));
    return file === undefined
      ? { at: new Map<number, PlacedFunction[]>(), late: false }
      : sourceLines(file.path, addresses, this.#timeLimitMs);
  }

  /** The files that tell of a module: itself where it is still the one that was loaded, and its debug file. */
  #filesOf({ path: file, buildId }: NativeModule): { files: ElfFile[]; problem?: string } {
    // Not every module has a file: the kernel's linux-vdso.so.1 has none.
    if (!path.isAbsolute(file)) return { files: [] };
    const files: ElfFile[] = [];
    let problem: string | undefined;
    const own = ElfFile.open(file);
    if (own === undefined) {
      problem = `${file} cannot be read here: its frames have no names.`;
    } else if (buildId !== UNKNOWN_BUILD_ID && own.buildId !== buildId) {
      problem = `${file} is not the file that was loaded (build id differs): its frames have no names.`;
      own.close();
    } else {
      files.push(own);
    }
    const debug = this.#debugFileOf(buildId === UNKNOWN_BUILD_ID ? (own?.buildId ?? "") : buildId);
    return { files: debug === undefined ? files : [...files, debug], ...(problem && { problem }) };
  }

  #debugFileOf(buildId: string): ElfFile | undefined {
    if (buildId.length < 4) return undefined;
    const name = path.join(".build-id", buildId.slice(0, 2), `${buildId.slice(2)}.debug`);
    const file = ElfFile.open(path.join(this.#debugFolder, name));
    if (file === undefined || file.buildId === buildId) return file;
    file.close();
    return undefined;
  }
}

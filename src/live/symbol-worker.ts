/** The thread that looks into modules' files for the names of native functions. */
import { parentPort } from "node:worker_threads";
import type { MissingSymbols } from "../analysis/native-frames.js";
import { ModuleSymbols } from "../symbols/module-symbols.js";
import type { SymbolsFound } from "./late-symbols.js";

const symbols = new ModuleSymbols();

parentPort?.on("message", (missing: readonly MissingSymbols[]) => {
  const found: SymbolsFound = missing.map(({ module, addresses }) => {
    const { functions, ...rest } = symbols.lookUp(module, addresses);
    const wanted = new Map(addresses.map((address) => [address, functions.get(address) ?? []]));
    return { ...rest, functions: wanted };
  });
  parentPort?.postMessage(found);
});

import { type Frame, UNKNOWN_BUILD_ID } from "../capture/records.js";
import type { CaptureTables } from "../capture/tables.js";
import type { ModuleFunctions, NativeFunction, NativeModule, NativeSymbols } from "../symbols/native-symbols.js";

/** Addresses of a module's code that were not looked up yet. */
export interface MissingSymbols {
  readonly module: NativeModule;
  readonly addresses: readonly number[];
}

/** The file of a frame that lies in no known module. */
const NO_MODULE = "<native>";

/**
 * Turns native frames into functions: by their modules' files where these are there, else by the names that the capture
 * brought along. Nothing is looked up before the first frame is asked for, and then all that is expected at once,
 * because each look into a module is costly.
 */
export class NativeFrames {
  readonly #tables: CaptureTables;
  readonly #symbols: NativeSymbols | undefined;
  readonly #warnings: Set<string>;
  readonly #frames = new Map<number, readonly Frame[]>();
  #expected: readonly number[] = [];

  /** Without `symbols`, frames have the names that the capture brought along, as they stand there. */
  constructor(tables: CaptureTables, symbols?: NativeSymbols, warnings = new Set<string>()) {
    this.#tables = tables;
    this.#symbols = symbols;
    this.#warnings = warnings;
  }

  /** Announces the stack nodes that will be shown next. */
  expect(nodes: readonly number[]): void {
    this.#expected = nodes;
  }

  /** What will have to be looked up for the stacks of these nodes, module by module. */
  missing(nodes: readonly number[]): MissingSymbols[] {
    const { frameModule, frameAddress, strings, modulePath, moduleBuildId } = this.#tables;
    const byModule = new Map<number, Set<number>>();
    for (const frame of this.#unresolved(nodes)) {
      const id = frameModule.at(frame);
      if (id === 0) continue;
      const addresses = byModule.get(id);
      if (addresses === undefined) byModule.set(id, new Set([frameAddress.at(frame)]));
      else addresses.add(frameAddress.at(frame));
    }
    return [...byModule].map(([id, addresses]) => ({
      module: { path: strings.get(modulePath.at(id)), buildId: moduleBuildId[id] ?? "" },
      addresses: [...addresses],
    }));
  }

  /** The functions of a native physical frame, innermost first. */
  of(physical: number): readonly Frame[] {
    if (!this.#frames.has(physical)) this.#resolve(this.#wanted(physical));
    return this.#frames.get(physical) ?? [];
  }

  /** Native frames not resolved yet: those of the expected stacks, or without these all there are until now. */
  #wanted(physical: number): Set<number> {
    const wanted = this.#unresolved(this.#expected).add(physical);
    if (this.#expected.length === 0) {
      for (let frame = 1; frame < this.#tables.frameEnd.length; frame++)
        if (this.#isUnresolved(frame)) wanted.add(frame);
    }
    this.#expected = [];
    return wanted;
  }

  /** The native frames of these nodes' stacks that were not resolved yet. */
  #unresolved(nodes: readonly number[]): Set<number> {
    const { nodeParent, nodeFrame } = this.#tables;
    const found = new Set<number>();
    const seen = new Set<number>();
    for (const node of nodes) {
      for (let at = node; at !== 0 && !seen.has(at); at = nodeParent.at(at)) {
        seen.add(at);
        const frame = nodeFrame.at(at);
        if (this.#isUnresolved(frame)) found.add(frame);
      }
    }
    return found;
  }

  #isUnresolved(frame: number): boolean {
    return this.#tables.isNative(frame) && !this.#frames.has(frame);
  }

  #resolve(frames: Iterable<number>): void {
    const { frameModule, frameAddress } = this.#tables;
    const byModule = new Map<number, number[]>();
    for (const frame of frames) {
      const module = frameModule.at(frame);
      const others = byModule.get(module);
      if (others === undefined) byModule.set(module, [frame]);
      else others.push(frame);
    }
    for (const [module, ofModule] of byModule) {
      const addresses = [...new Set(ofModule.map((frame) => frameAddress.at(frame)))];
      const found = this.#lookUp(module, addresses);
      let nameless = false;
      for (const frame of ofModule) {
        const functions = found?.functions.get(frameAddress.at(frame)) ?? [];
        nameless ||= functions.length === 0 && !this.#tables.frameSymbol.has(frame);
        this.#frames.set(frame, this.#framesFor(frame, functions));
      }
      if (nameless && found?.problem !== undefined) this.#warnings.add(found.problem);
      if (found?.shortcoming !== undefined) this.#warnings.add(found.shortcoming);
    }
  }

  #lookUp(module: number, addresses: readonly number[]): ModuleFunctions | undefined {
    if (module === 0) return undefined;
    const { strings, modulePath, moduleBuildId } = this.#tables;
    const path = strings.get(modulePath.at(module));
    return this.#symbols?.lookUp({ path, buildId: moduleBuildId[module] ?? "" }, addresses);
  }

  #framesFor(physical: number, functions: readonly NativeFunction[]): Frame[] {
    const { strings, modulePath, moduleBuildId, frameModule, frameAddress, frameSymbol } = this.#tables;
    const id = frameModule.at(physical);
    const module = strings.get(modulePath.at(id)) || NO_MODULE;
    const address = frameAddress.at(physical);
    const known = moduleBuildId[id] ?? "";
    const buildId = known === UNKNOWN_BUILD_ID ? "" : known;
    const place = id === 0 ? {} : { code: { module, buildId, address } };
    const frame = (name: string, file = module, line = 0): Frame => ({
      function: name,
      file,
      line,
      column: 0,
      native: true,
      ...place,
    });
    const inside = this.#tables.insideLoop.has(physical);
    if (functions.length > 0) {
      return functions.slice(0, inside ? -1 : undefined).map(({ name, file, line }) => frame(name, file, line));
    }
    if (inside) return [];
    const symbol = frameSymbol.get(physical);
    if (symbol === undefined) return [frame(this.#address(physical, module))];
    return [frame(this.#symbols?.readable(strings.get(symbol)) ?? strings.get(symbol))];
  }

  #address(physical: number, module: string): string {
    const address = `0x${this.#tables.frameAddress.at(physical).toString(16)}`;
    return module === NO_MODULE ? address : `${address} in ${module.slice(module.lastIndexOf("/") + 1)}`;
  }
}

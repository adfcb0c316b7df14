import { type ElfFile, type ElfSection, SectionType } from "./elf-file.js";

const ENTRY_BYTES = 24;
const CHUNK_ENTRIES = 40_960;
const MAX_ENTRIES = 64 * 1024 * 1024;
const MAX_NAMES_BYTES = 256 * 1024 * 1024;
const NO_SYMBOL = -1;
const GLOBAL = 1;

/** Symbol types that can be functions: none (assembler's labels), function, indirect function. */
const FUNCTION_TYPES = new Set([0, 2, 10]);

/** Of each wanted address, the symbol that begins nearest below it, as far as it was found. */
class Nearest {
  readonly value: Float64Array;
  readonly end: Float64Array;
  readonly name: Float64Array;
  readonly binding: Uint8Array;

  constructor(count: number) {
    this.value = new Float64Array(count).fill(NO_SYMBOL);
    this.end = new Float64Array(count);
    this.name = new Float64Array(count);
    this.binding = new Uint8Array(count);
  }

  offer(at: number, value: number, end: number, name: number, binding: number): void {
    const known = this.value[at] as number;
    // Of several names of one place, the first that other modules see.
    if (value < known || (value === known && (binding !== GLOBAL || this.binding[at] === GLOBAL))) return;
    this.value[at] = value;
    this.end[at] = end;
    this.name[at] = name;
    this.binding[at] = binding;
  }

  /** A symbol was offered to the first address above it only: those after it may be nearest to it as well. */
  spread(): void {
    for (let i = 1; i < this.value.length; i++) {
      if ((this.value[i] as number) < (this.value[i - 1] as number)) {
        const from = i - 1;
        this.offer(
          i,
          this.value[from] as number,
          this.end[from] as number,
          this.name[from] as number,
          this.binding[from] as number,
        );
      }
    }
  }
}

/**
 * The names of the symbols that hold the addresses, from a file's symbol table (`.symtab`, `.dynsym`): in one pass over
 * the table, keeping nothing but what was asked for. A symbol without a size names what follows it, up to the next one.
 */
export function symbolsAt(file: ElfFile, type: number, addresses: readonly number[]): Map<number, string> {
  const found = new Map<number, string>();
  const table = file.sections.find((section) => section.type === type);
  if (table === undefined || addresses.length === 0) return found;
  const wanted = Float64Array.from(addresses).sort();
  const sized = new Nearest(wanted.length);
  const unsized = new Nearest(wanted.length);
  const count = Math.min(MAX_ENTRIES, Math.floor(table.size / ENTRY_BYTES));
  for (let first = 0; first < count; first += CHUNK_ENTRIES) {
    const entries = Math.min(CHUNK_ENTRIES, count - first);
    const bytes = file.read(table.offset + first * ENTRY_BYTES, entries * ENTRY_BYTES);
    // A table that the file does not hold to its end is no table.
    if (bytes === undefined) return found;
    offerSymbols(bytes, file.sections, wanted, sized, unsized);
  }
  sized.spread();
  unsized.spread();
  const names = file.sections[table.link];
  wanted.forEach((address, i) => {
    const inside = address < (sized.end[i] as number);
    const after = (unsized.value[i] as number) > (sized.value[i] as number) && address < (unsized.end[i] as number);
    if (!inside && !after) return;
    const name = file.text(names, (inside ? sized : unsized).name[i] as number);
    if (name !== "") found.set(address, name);
  });
  return found;
}

function offerSymbols(
  bytes: Buffer,
  sections: readonly ElfSection[],
  wanted: Float64Array,
  sized: Nearest,
  unsized: Nearest,
): void {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const info = bytes[at + 4] as number;
    if (!FUNCTION_TYPES.has(info & 15)) continue;
    const section = sections[words.getUint16(at + 6, true)];
    if (section === undefined || section.address === 0) continue;
    const value = words.getUint32(at + 8, true) + words.getUint32(at + 12, true) * 2 ** 32;
    const size = words.getUint32(at + 16, true) + words.getUint32(at + 20, true) * 2 ** 32;
    const index = lowerBound(wanted, value);
    if (index === wanted.length) continue;
    const sectionEnd = section.address + section.size;
    const name = words.getUint32(at, true);
    if (size > 0) sized.offer(index, value, Math.min(value + size, sectionEnd), name, info >> 4);
    else unsized.offer(index, value, sectionEnd, name, info >> 4);
  }
}

/**
 * Where the functions are whose names match, `[start, end)`, by a file's symbol table: the full one, or where it was
 * stripped, that of its exports.
 */
export function rangesOf(file: ElfFile, name: RegExp): [start: number, end: number][] {
  for (const type of [SectionType.SYMTAB, SectionType.DYNSYM]) {
    const table = file.sections.find((section) => section.type === type);
    const section = table && file.sections[table.link];
    if (table === undefined || section === undefined || section.size > MAX_NAMES_BYTES) continue;
    const names = file.read(section.offset, section.size);
    const entries = file.read(table.offset, Math.min(MAX_ENTRIES, Math.floor(table.size / ENTRY_BYTES)) * ENTRY_BYTES);
    if (names === undefined || entries === undefined) continue;
    const found = rangesIn(entries, names, name);
    if (found.length > 0) return found;
  }
  return [];
}

function rangesIn(entries: Buffer, names: Buffer, wanted: RegExp): [start: number, end: number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    if (!FUNCTION_TYPES.has((entries[at + 4] as number) & 15) || entries.readUInt16LE(at + 6) === 0) continue;
    const start = entries.readUInt32LE(at);
    const end = names.indexOf(0, start);
    if (end < 0 || !wanted.test(names.toString("latin1", start, end))) continue;
    const value = entries.readUInt32LE(at + 8) + entries.readUInt32LE(at + 12) * 2 ** 32;
    const size = entries.readUInt32LE(at + 16) + entries.readUInt32LE(at + 20) * 2 ** 32;
    found.push([value, value + size]);
  }
  return found;
}

/** The first of the sorted values that is not below `value`. */
function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What an ELF file's own tables call its functions: the full one where it was not stripped, else that of its exports. */
export function namesIn(files: readonly ElfFile[], addresses: readonly number[]): Map<number, string> {
  const names = new Map<number, string>();
  for (const type of [SectionType.SYMTAB, SectionType.DYNSYM]) {
    for (const file of files) {
      const missing = addresses.filter((address) => !names.has(address));
      for (const [address, name] of symbolsAt(file, type, missing)) names.set(address, name);
    }
  }
  return names;
}

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** Real files have some dozens. */
const MAX_SECTIONS = 65_536;
const MAX_SEGMENTS = 4096;
const MAX_NOTE_BYTES = 64 * 1024;
const MAX_NAME_BYTES = 64 * 1024;
const MAX_BUILD_ID_BYTES = 64;

export const SectionType = { SYMTAB: 2, STRTAB: 3, NOTE: 7, NOBITS: 8, DYNSYM: 11 } as const;

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  /** Virtual address; 0 where the section is not loaded. */
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  /** Index of the section that belongs to it. */
  readonly link: number;
}

/**
 * A 64-bit little-endian ELF file, of which parts are read as they are needed. What its headers say is checked against
 * the file's size, so no file makes this read beyond it or ask for memory that it has no bytes for.
 */
export class ElfFile {
  readonly path: string;
  readonly sections: readonly ElfSection[];
  /** In hexadecimal; empty for none. */
  readonly buildId: string;
  readonly #fd: number;
  readonly #size: number;

  private constructor(path: string, fd: number, size: number) {
    this.path = path;
    this.#fd = fd;
    this.#size = size;
    const header = this.read(0, 64);
    if (header === undefined || header.toString("latin1", 0, 6) !== "\x7fELF\x02\x01") throw new Error("not ELF");
    this.sections = this.#readSections(header);
    this.buildId = this.#readBuildId(header);
  }

  /** Undefined where there is no regular file that can be read, or it is no such ELF file. */
  static open(path: string): ElfFile | undefined {
    let fd: number | undefined;
    try {
      // Opening a pipe would wait for its other end.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const status = fstatSync(fd);
      if (!status.isFile()) throw new Error("not a file");
      return new ElfFile(path, fd, status.size);
    } catch {
      if (fd !== undefined) closeSync(fd);
      return undefined;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The bytes at an offset; undefined where the file ends before. */
  read(offset: number, length: number): Buffer | undefined {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.#size)) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    return readSync(this.#fd, bytes, 0, length, offset) === length ? bytes : undefined;
  }

  /** The text that begins at an offset in a section, up to its zero; "" where there is none. */
  text(section: ElfSection | undefined, start: number): string {
    if (section === undefined || start >= section.size) return "";
    for (let length = 128; ; length *= 8) {
      const bytes = this.read(section.offset + start, Math.min(length, section.size - start));
      const end = bytes?.indexOf(0) ?? -1;
      if (bytes === undefined || (end < 0 && bytes.length < length) || length > MAX_NAME_BYTES) return "";
      if (end >= 0) return bytes.toString("utf8", 0, end);
    }
  }

  /** Whether a section of this name has content in this file. */
  has(name: string): boolean {
    return this.sections.some((section) => section.name === name && section.type !== SectionType.NOBITS);
  }

  #readSections(header: Buffer): ElfSection[] {
    const offset = u64(header, 0x28);
    const entry = header.readUInt16LE(0x3a);
    let count = header.readUInt16LE(0x3c);
    let names = header.readUInt16LE(0x3e);
    if (offset === 0 || entry !== 64) return [];
    const first = this.read(offset, 64);
    if (first === undefined) return [];
    // Where there are too many for the header, the first section tells.
    if (count === 0) count = u64(first, 0x20);
    if (names === 0xffff) names = first.readUInt32LE(0x28);
    if (count > MAX_SECTIONS) return [];
    const table = this.read(offset, count * 64);
    if (table === undefined) return [];
    const raw = Array.from({ length: count }, (_, i) => {
      const at = i * 64;
      return {
        nameAt: table.readUInt32LE(at),
        name: "",
        type: table.readUInt32LE(at + 4),
        address: u64(table, at + 0x10),
        offset: u64(table, at + 0x18),
        size: u64(table, at + 0x20),
        link: table.readUInt32LE(at + 0x28),
      };
    });
    return raw.map(({ nameAt, ...section }) => ({ ...section, name: this.text(raw[names], nameAt) }));
  }

  #readBuildId(header: Buffer): string {
    for (const { type, offset, size } of this.sections) {
      const id = type === SectionType.NOTE ? this.#buildIdOf(offset, size) : "";
      if (id !== "") return id;
    }
    // A file may come without its sections; a debug file has no content in its segments.
    const count = header.readUInt16LE(0x38);
    if (count > MAX_SEGMENTS || header.readUInt16LE(0x36) !== 56) return "";
    const table = this.read(u64(header, 0x20), count * 56);
    for (let at = 0; table !== undefined && at < table.length; at += 56) {
      const id = table.readUInt32LE(at) === 4 ? this.#buildIdOf(u64(table, at + 0x08), u64(table, at + 0x20)) : "";
      if (id !== "") return id;
    }
    return "";
  }

  /** The build id among the notes at an offset. */
  #buildIdOf(offset: number, size: number): string {
    const notes = this.read(offset, Math.min(size, MAX_NOTE_BYTES));
    if (notes === undefined) return "";
    for (let at = 0; at + 12 <= notes.length; ) {
      const nameBytes = notes.readUInt32LE(at);
      const bytes = notes.readUInt32LE(at + 4);
      const name = at + 12;
      const content = name + padded(nameBytes);
      const isBuildId =
        notes.readUInt32LE(at + 8) === 3 && notes.toString("latin1", name, name + nameBytes) === "GNU\0";
      if (isBuildId && bytes <= MAX_BUILD_ID_BYTES && content + bytes <= notes.length) {
        return notes.toString("hex", content, content + bytes);
      }
      at = content + padded(bytes);
    }
    return "";
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

/** Rounded beyond 2^53, where nothing of a file is. */
function u64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

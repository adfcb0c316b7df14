const PREAMBLE_BYTES = 8;
const MEMORY_SECTION = 5;

/**
 * A WebAssembly module's bytes, with the memory that it defines limited to `pages` of 64 KiB, or more where it begins
 * with more; as it is where it defines none or limits it already.
 */
export function limitMemory(module: Uint8Array, pages: number): Uint8Array<ArrayBuffer> {
  for (let at = PREAMBLE_BYTES; at < module.length; ) {
    const section = at;
    const [size, content] = leb128(module, at + 1);
    at = content + size;
    if (module[section] !== MEMORY_SECTION) continue;
    const [count, flags] = leb128(module, content);
    if (count !== 1 || module[flags] !== 0) break;
    const [initial] = leb128(module, flags + 1);
    const limits = [1, 1, ...toLeb128(initial), ...toLeb128(Math.max(initial, pages))];
    const replaced = [MEMORY_SECTION, ...toLeb128(limits.length), ...limits];
    const limited = new Uint8Array(section + replaced.length + module.length - at);
    limited.set(module.subarray(0, section));
    limited.set(replaced, section);
    limited.set(module.subarray(at), section + replaced.length);
    return limited;
  }
  return Uint8Array.from(module);
}

/** The value at a place, and where it ends. */
function leb128(bytes: Uint8Array, start: number): [value: number, end: number] {
  let value = 0;
  let at = start;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at];
  }
}

function toLeb128(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...toLeb128(Math.floor(value / 128))];
}

/** How far back a block may repeat what was unpacked before. */
export const HISTORY_BYTES = 64 * 1024;

/** A repetition is at least so long. */
const SHORTEST_REPETITION = 4;
/** A length that does not fit into the token goes on behind it. */
const LENGTH_GOES_ON = 15;

/**
 * Unpacks a block of LZ4 into `target` from `start` on, behind what it may repeat. Where it ends, or undefined where it is
 * damaged: it would end behind `limit`, or repeats what is not there.
 */
export function unpackBlock(block: Uint8Array, target: Uint8Array, start: number, limit: number): number | undefined {
  let from = 0;
  let to = start;
  while (from < block.length) {
    const token = block[from++] as number;
    let literals = token >> 4;
    if (literals === LENGTH_GOES_ON) {
      let more = 255;
      while (more === 255) {
        if (from >= block.length) return undefined;
        more = block[from++] as number;
        literals += more;
      }
    }
    if (from + literals > block.length || to + literals > limit) return undefined;
    if (literals > 32) {
      target.set(block.subarray(from, from + literals), to);
      from += literals;
      to += literals;
    } else {
      for (const end = to + literals; to < end; ) target[to++] = block[from++] as number;
    }
    // The last sequence has no repetition.
    if (from === block.length) return to;
    if (from + 2 > block.length) return undefined;
    const back = (block[from] as number) | ((block[from + 1] as number) << 8);
    from += 2;
    let length = token & 15;
    if (length === LENGTH_GOES_ON) {
      let more = 255;
      while (more === 255) {
        if (from >= block.length) return undefined;
        more = block[from++] as number;
        length += more;
      }
    }
    length += SHORTEST_REPETITION;
    if (back === 0 || back > to || to + length > limit) return undefined;
    // It may repeat what it has only just written.
    let source = to - back;
    for (const end = to + length; to < end; ) target[to++] = target[source++] as number;
  }
  return undefined;
}

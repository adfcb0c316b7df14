import { CaptureWriter } from "../../test/support/capture-writer.js";

/**
 * A capture shaped like a busy program's: `allocations` allocations from some thousand stacks, nine of ten short-lived
 * (freed within the next few), the others kept, on four threads.
 */
export function syntheticCapture(allocations: number): { bytes: Uint8Array; records: number } {
  let seed = 12345;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const writer = new CaptureWriter();
  let records = 0;
  for (let i = 1; i <= 4; i++) writer.thread(i, 100 + i, `thread ${i}`);
  const nodes: number[] = [];
  for (let i = 0; i < 300; i++) {
    nodes.push(writer.stack(...Array.from({ length: 10 }, (_, k) => `f${i}_${k}@/app/file${i}.js:${k + 1}:5`)));
  }
  const recent: number[] = [];
  let next = 0x7f00_0000_0000;
  const spare: number[] = [];
  writer.switchTo(1);
  while (records < allocations * 2) {
    if (random(200) === 0) {
      writer.switchTo(1 + random(4));
      records++;
    }
    const size = 16 + 8 * random(40);
    let address = spare.pop();
    if (address === undefined) {
      address = next;
      next += 352;
    }
    writer.malloc(nodes[random(10) === 0 ? random(nodes.length) : random(8)] as number, size, address);
    records++;
    if (random(10) > 0) recent.push(address);
    while (recent.length > random(12)) {
      const freed = recent.splice(random(recent.length), 1)[0] as number;
      writer.free(freed);
      spare.push(freed);
      records++;
    }
  }
  return { bytes: writer.trailer(1_700_000_000_500).finish(), records };
}

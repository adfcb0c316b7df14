import { AllocatorType } from "../../src/capture/wire.js";
import { AGGREGATED_HEADER, CaptureWriter, HEADER } from "./capture-writer.js";

/** A name that means something in every format that it must not. */
export const NASTY_NAME = 'a;b "c"\n\u001b[31m<i>,|\u2028 7';
export const NASTY_FILE = "/srv/a b;c\n.js";

/** What `formatCapture` holds: bytes. */
export const FORMAT_SUMS = { peak: 15_700, leaks: 10_700, all: 15_732, allocations: 8 };

/** The definitions of a small program: two threads, stacks that share frames, inlined and native functions. */
function define(writer: CaptureWriter) {
  writer.thread(1, 4711, "main").thread(2, 4712, "V8Worker");
  const app = writer.script("file:///srv/app/app.ts");
  const main = writer.frame({ function: writer.function("main", app, 1, 1), line: 3, column: 1 });
  const load = writer.function("load", app, 6, 1);
  const alloc = writer.function("alloc", writer.script("node:buffer"), 380, 1);
  const nasty = writer.function(NASTY_NAME, writer.script(NASTY_FILE), 1, 1);
  const root = writer.node(0, main);
  // `alloc` was inlined into `load`.
  const inlined = writer.node(
    root,
    writer.frame({ function: alloc, line: 400, column: 3 }, { function: load, line: 7, column: 5 }),
  );
  const again = writer.node(root, writer.frame({ function: load, line: 8, column: 5 }));
  const evil = writer.node(root, writer.frame({ function: nasty, line: 9, column: 2 }));
  const native = writer.nativeFrame(writer.module("/usr/lib/libz.so.1", "0123abcd", 0x7f00_0000_0000), 0x1234);
  writer.symbol(native, "deflateInit2_");
  const zlib = writer.node(again, native);
  return { root, inlined, again, evil, zlib };
}

/** Every allocation of that program; what it holds at the peak, and at the end, is told by FORMAT_SUMS. */
export function formatCapture(): Uint8Array {
  const writer = new CaptureWriter();
  const { inlined, again, evil, zlib } = define(writer);
  writer.snapshot(0, 40_000_000, 4_000_000, 5_000_000, 1_000_000).switchTo(1);
  writer
    .malloc(inlined, 1000, 0x1000)
    .malloc(inlined, 2000, 0x2000)
    .allocation(AllocatorType.CALLOC, again, 3000, 0x3000);
  writer.mmap(evil, 4096, 0x10000).malloc(zlib, 5000, 0x4000);
  writer.switchTo(2).malloc(0, 600, 0x5000).allocation(AllocatorType.CALLOC, 0, 4, 0x6000);
  writer.snapshot(12, 50_000_000, 4_100_000, 5_000_000, 1_000_000);
  writer.switchTo(1).free(0x4000).malloc(zlib, 32, 0x7000).free(0x7000);
  return writer.trailer(HEADER.startTimeMs + 2500).finish();
}

/** The same, aggregated. */
export function aggregatedFormatCapture(): Uint8Array {
  const writer = new CaptureWriter(AGGREGATED_HEADER);
  const { inlined, again, evil, zlib } = define(writer);
  writer.snapshot(0, 40_000_000, 4_000_000, 5_000_000, 1_000_000, 0);
  writer.location(1, inlined, AllocatorType.MALLOC, [2, 3000, 2, 3000]);
  writer.location(1, again, AllocatorType.CALLOC, [1, 3000, 1, 3000]);
  writer.location(1, evil, AllocatorType.MMAP, [1, 4096, 1, 4096]);
  writer.location(1, zlib, AllocatorType.MALLOC, [1, 5000, 0, 0]);
  writer.location(2, 0, AllocatorType.MALLOC, [1, 600, 1, 600]);
  writer.location(2, 0, AllocatorType.CALLOC, [1, 4, 1, 4]);
  return writer
    .totals(8, 15_732)
    .trailer(HEADER.startTimeMs + 2500)
    .finish();
}

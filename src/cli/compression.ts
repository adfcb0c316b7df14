import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { CaptureError } from "../capture/errors.js";
import { CaptureCompression, COMPRESSION_LEVEL } from "../tracker/compress-capture.js";
import { progressBar } from "./progress.js";
import { INTERRUPTS } from "./signals.js";

const gzipInThread = promisify(gzip);
/** More parts at once would take memory for little gain: reading and writing them goes on in one thread. */
const MOST_AT_ONCE = 4;

/** Starts the threads that compress, and has what they need compiled. */
export async function warmUp(): Promise<void> {
  await gzipInThread(new Uint8Array(0));
}

/**
 * Compresses captures, each on all cores, with a progress bar unless `quiet`. What cannot be compressed (a full disk)
 * stays as it is, and so does everything that is left when the user interrupts.
 * @param mostAtOnce threads to use, where cores are needed elsewhere
 */
export async function compressCaptures(
  captures: readonly string[],
  quiet: boolean,
  mostAtOnce = MOST_AT_ONCE,
): Promise<void> {
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  for (const signal of INTERRUPTS) process.on(signal, interrupt);
  try {
    for (const capture of captures) await compress(capture, { quiet, mostAtOnce, interrupted: () => interrupted });
  } finally {
    for (const signal of INTERRUPTS) process.off(signal, interrupt);
  }
}

interface How {
  readonly quiet: boolean;
  readonly mostAtOnce: number;
  readonly interrupted: () => boolean;
}

async function compress(capture: string, how: How, asItIs = false): Promise<void> {
  const { quiet, interrupted } = how;
  let compression: CaptureCompression | undefined;
  let damaged = false;
  const progress = quiet ? undefined : progressBar("Compressing");
  try {
    if (interrupted()) return;
    compression = CaptureCompression.open(capture, asItIs);
    if (compression === undefined) return;
    const { size } = compression;
    const atOnce = Math.min(availableParallelism(), how.mostAtOnce);
    const begun: { readonly taken: number; readonly gzip: Promise<Uint8Array> }[] = [];
    let more = true;
    while (more || begun.length > 0) {
      while (more && begun.length < atOnce) {
        const bytes = compression.read();
        if (bytes === undefined) more = false;
        else {
          const packed = gzipInThread(bytes, { level: COMPRESSION_LEVEL, chunkSize: 1024 * 1024 });
          // Where one fails, those behind it are never waited for.
          packed.catch(() => {});
          begun.push({ taken: compression.taken, gzip: packed });
        }
      }
      const first = begun.shift();
      if (first === undefined) break;
      compression.write(await first.gzip);
      if (interrupted()) throw new Error("interrupted");
      progress?.update(first.taken, size);
    }
    compression.finish();
  } catch (error) {
    compression?.abandon();
    damaged = error instanceof CaptureError;
  } finally {
    progress?.stop();
  }
  if (damaged && !asItIs) await compress(capture, how, true);
}

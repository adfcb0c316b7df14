import type { ByteWindow } from "../byte-window.js";
import { CaptureError } from "../errors.js";
import type { CaptureHeader } from "../records.js";

/** "memray" and its zero. */
export const MEMRAY_MAGIC = Uint8Array.of(0x6d, 0x65, 0x6d, 0x72, 0x61, 0x79, 0);

/** From this one on, the header tells where the program's modules come from. */
const SEARCH_PATHS_VERSION = 13;
const SUPPORTED = [12, SEARCH_PATHS_VERSION];

/** Which memray writes which format, the newest first. */
const RELEASES: readonly (readonly [version: number, releases: string])[] = [
  [13, "1.20"],
  [12, "1.19"],
  [11, "1.11 to 1.18"],
  [10, "1.7 to 1.10"],
  [9, "1.4 to 1.6"],
  [8, "1.2 and 1.3"],
  [7, "1.1"],
  [6, "1.0"],
];

/** A byte more than the fields behind the command line have in all. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
/** The last moment that dates reach. */
const MAX_TIME_MS = 8.64e15;
const MAX_PATHS = 100_000;

/** What memray calls the allocator of Python's own objects, by its number. */
const PYTHON_ALLOCATORS = ["", "pymalloc", "pymalloc debug", "malloc", "other", "mimalloc", "mimalloc debug"];

/** What a memray capture's header says. */
export interface MemrayHeader {
  /** Of memray's format. */
  readonly version: number;
  readonly header: CaptureHeader;
  /** `sys.hexversion`; of the Python that ran, the release only. */
  readonly pythonVersion: number;
  readonly nativeTraces: boolean;
  readonly aggregated: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly endTimeMs: number;
  /** memray's number of the thread that started tracking. */
  readonly mainThread: number;
  /** How many of that thread's outermost frames are those of memray itself. */
  readonly skippedFrames: number;
}

/** Whether a capture of memray begins with these bytes, or may where there are few. */
export function isMemray(start: Uint8Array): boolean {
  return start.length > 0 && MEMRAY_MAGIC.every((byte, i) => i >= start.length || start[i] === byte);
}

/**
 * Reads the header of a capture that memray wrote, and leaves the window at the first record.
 * @throws CaptureError `NOT_A_CAPTURE`, `OTHER_VERSION` or `CORRUPT`
 */
export function readMemrayHeader(window: ByteWindow): MemrayHeader {
  const fields = new HeaderFields(window);
  const name = window.sourceName;
  fields.skip(MEMRAY_MAGIC.length);
  const version = fields.i32();
  if (!SUPPORTED.includes(version)) throw otherVersion(name, version);
  const pythonVersion = fields.i32();
  const nativeTraces = fields.byte() !== 0;
  const format = fields.byte();
  if (format > 1) throw window.corrupt(window.position - 1, `file format ${format} does not exist`);
  fields.u64(); // Records of allocations and frees, which are counted as they are read.
  fields.u64();
  const startTimeMs = fields.u64();
  const endTimeMs = fields.u64();
  if (!(startTimeMs <= MAX_TIME_MS && endTimeMs <= MAX_TIME_MS)) {
    throw window.corrupt(window.position - 16, "a time in its header is none");
  }
  const commandLine = fields.text();
  const pid = fields.i32();
  const mainThread = fields.u64();
  const skippedFrames = fields.u64();
  const pythonAllocator = PYTHON_ALLOCATORS[fields.byte()] ?? "other";
  const tracePythonAllocators = fields.byte() !== 0;
  const trackObjectLifetimes = fields.byte() !== 0;
  const hasPaths = version >= SEARCH_PATHS_VERSION;
  const standardLibrary = hasPaths ? fields.text() : "";
  const searchPaths = hasPaths ? { sitePackages: fields.texts(), sysPath: fields.texts() } : {};
  const aggregated = format === 1;
  return {
    version,
    header: {
      pid,
      mainThreadId: mainThread,
      commandLine: commandLine.split(" "),
      cwd: "",
      runtime: {
        name: "python",
        version: pythonRelease(pythonVersion),
        ...(standardLibrary !== "" && { standardLibrary: [standardLibrary] }),
      },
      arch: "",
      platform: "",
      startTimeMs,
      heaprayVersion: "",
      options: {
        fileFormat: aggregated ? "AGGREGATED_ALLOCATIONS" : "ALL_ALLOCATIONS",
        nativeTraces,
        tracePythonAllocators,
        trackObjectLifetimes,
        pythonAllocator,
        memray: releasesOf(version),
        ...searchPaths,
      },
    },
    pythonVersion,
    nativeTraces,
    aggregated,
    endTimeMs,
    mainThread,
    skippedFrames,
  };
}

/** The release of a `sys.hexversion`, 3.11 of 0x030b07f0: what follows is that of the Python that memray was built with. */
function pythonRelease(hexversion: number): string {
  return `${hexversion >>> 24}.${(hexversion >> 16) & 255}`;
}

function releasesOf(version: number): string | undefined {
  return RELEASES.find(([of]) => of === version)?.[1];
}

function otherVersion(source: string, version: number): CaptureError {
  const releases = releasesOf(version);
  const newest = RELEASES[0]?.[0] ?? 0;
  const by = releases !== undefined ? `memray ${releases}` : version > newest ? "a later memray" : "no known memray";
  const supported = SUPPORTED.map((of) => `${of} (memray ${releasesOf(of)})`).join(" and ");
  return new CaptureError(
    "OTHER_VERSION",
    source,
    `${source} is a memray capture of format ${version}, written by ${by}; heapray reads the formats ${supported}: ` +
      "record it again with one of these, or read it with the memray that wrote it.",
    { offset: MEMRAY_MAGIC.length },
  );
}

/** The header's fields, one after the other. */
class HeaderFields {
  readonly #window: ByteWindow;
  readonly #decoder = new TextDecoder();

  constructor(window: ByteWindow) {
    this.#window = window;
  }

  skip(bytes: number): void {
    this.#need(bytes);
    this.#window.position += bytes;
  }

  byte(): number {
    this.#need(1);
    return this.#window.bytes[this.#window.position++] as number;
  }

  i32(): number {
    this.#need(4);
    this.#window.position += 4;
    return this.#window.view.getInt32(this.#window.position - 4, true);
  }

  /** Exact below 2^53. */
  u64(): number {
    this.#need(8);
    const { view, position } = this.#window;
    this.#window.position += 8;
    return view.getUint32(position, true) + view.getUint32(position + 4, true) * 2 ** 32;
  }

  /** Up to a zero. */
  text(): string {
    const window = this.#window;
    const length = window.lengthBefore(0, MAX_TEXT_BYTES);
    if (length === undefined) throw this.#endsHere();
    const text = this.#decoder.decode(window.bytes.subarray(window.position, window.position + length));
    window.position += length + 1;
    return text;
  }

  /** Texts, up to an empty one. */
  texts(): string[] {
    const texts: string[] = [];
    for (let text = this.text(); text !== ""; text = this.text()) {
      if (texts.push(text) > MAX_PATHS) throw this.#window.corrupt(this.#window.position, "its header does not end");
    }
    return texts;
  }

  #need(bytes: number): void {
    if (!this.#window.ensure(bytes)) throw this.#endsHere();
  }

  #endsHere(): CaptureError {
    const name = this.#window.sourceName;
    return new CaptureError(
      "NOT_A_CAPTURE",
      name,
      `${name} ends inside its header, which memray wrote: nothing was recorded. Run the program again.`,
    );
  }
}

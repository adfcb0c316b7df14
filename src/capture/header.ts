import type { ByteWindow } from "./byte-window.js";
import { CaptureError } from "./errors.js";
import type { CaptureHeader } from "./records.js";
import { FORMAT_VERSION, MAGIC, MAX_METADATA_BYTES } from "./wire.js";

const FIXED_BYTES = MAGIC.length + 8;

/**
 * How many bytes a capture's first ones have to be before its header can be read: those that the header has, or fewer
 * where it is already clear that they begin no capture.
 */
export function headerBytes(start: Uint8Array): number {
  for (let i = 0; i < Math.min(MAGIC.length, start.length); i++) if (start[i] !== MAGIC[i]) return start.length;
  if (start.length < FIXED_BYTES) return FIXED_BYTES;
  const length = new DataView(start.buffer, start.byteOffset, FIXED_BYTES).getUint32(12, true);
  return FIXED_BYTES + (length > MAX_METADATA_BYTES ? 0 : length);
}

/** The header, and the version of the format that the records after it have. */
export interface VersionedHeader {
  readonly version: number;
  readonly header: CaptureHeader;
}

/**
 * Reads the header and leaves the window at the first record.
 * @throws CaptureError `NOT_A_CAPTURE`, `NEWER_VERSION` or `CORRUPT`.
 */
export function readHeader(window: ByteWindow): VersionedHeader {
  const name = window.sourceName;
  const whole = window.ensure(FIXED_BYTES);
  const present = Math.min(MAGIC.length, window.end - window.position);
  for (let i = 0; i < present; i++) {
    if (window.bytes[window.position + i] !== MAGIC[i]) {
      throw new CaptureError(
        "NOT_A_CAPTURE",
        name,
        `${name} is not a heapray capture; give a file made by heapray run.`,
      );
    }
  }
  if (!whole) throw endsInHeader(name);

  const view = new DataView(window.bytes.buffer, window.bytes.byteOffset + window.position, FIXED_BYTES);
  const version = view.getUint32(8, true);
  if (version > FORMAT_VERSION) {
    throw new CaptureError(
      "NEWER_VERSION",
      name,
      `${name} has capture format ${version}, this heapray reads up to ${FORMAT_VERSION}; update heapray to read it.`,
      { offset: 8 },
    );
  }
  if (version === 0) throw corrupt(name, 8, "capture format 0 does not exist");
  const length = view.getUint32(12, true);
  if (length > MAX_METADATA_BYTES) {
    throw corrupt(name, 12, `its metadata claims ${length} bytes, more than the ${MAX_METADATA_BYTES} allowed`);
  }
  if (!window.ensure(FIXED_BYTES + length)) throw endsInHeader(name);

  window.position += FIXED_BYTES;
  const json = new TextDecoder().decode(window.bytes.subarray(window.position, window.position + length));
  let metadata: unknown;
  try {
    metadata = JSON.parse(json);
  } catch (error) {
    throw corrupt(name, FIXED_BYTES, "its metadata is not JSON", error);
  }
  if (!isObject(metadata)) throw corrupt(name, FIXED_BYTES, "its metadata is not a JSON object");
  window.position += length;
  return { version, header: toHeader(metadata) };
}

/** Nothing of such a file can be read, since the header comes first. */
function corrupt(source: string, offset: number, reason: string, cause?: unknown): CaptureError {
  const message = `${source} is damaged at byte ${offset}, in its header: ${reason}. Record it again.`;
  return new CaptureError("CORRUPT", source, message, { offset, cause });
}

function endsInHeader(name: string): CaptureError {
  return new CaptureError(
    "NOT_A_CAPTURE",
    name,
    `${name} ends inside its header: nothing was recorded. Run the program again.`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every key with its type; what is missing or of another type becomes empty, for it is not worth losing a capture. */
function toHeader(metadata: Record<string, unknown>): CaptureHeader {
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const number = (value: unknown): number => (typeof value === "number" ? value : 0);
  const runtime = isObject(metadata.runtime) ? metadata.runtime : {};
  return {
    pid: number(metadata.pid),
    mainThreadId: number(metadata.mainThreadId),
    commandLine: Array.isArray(metadata.commandLine) ? metadata.commandLine.map(text) : [],
    cwd: text(metadata.cwd),
    runtime: {
      name: text(runtime.name),
      version: text(runtime.version),
      ...(typeof runtime.engine === "string" ? { engine: runtime.engine } : {}),
      ...(Array.isArray(runtime.standardLibrary) ? { standardLibrary: runtime.standardLibrary.map(text) } : {}),
    },
    arch: text(metadata.arch),
    platform: text(metadata.platform),
    startTimeMs: number(metadata.startTimeMs),
    heaprayVersion: text(metadata.heaprayVersion),
    options: isObject(metadata.options) ? metadata.options : {},
  };
}

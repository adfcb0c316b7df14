/** Reading captures: no native code, on any machine. */

export { MERGED_THREAD_NAME } from "./analysis/allocation-record.js";
export {
  CaptureReader,
  type MergeOptions,
  type OpenCapture,
  type ReaderOptions,
  type StatisticsOptions,
  type TemporaryOptions,
} from "./analysis/capture-reader.js";
export { FileReader } from "./analysis/file-reader.js";
export {
  changeOf,
  type Growth,
  type GrowthBy,
  type GrowthSide,
  growthOf,
  type Held,
  type PlaceGrowth,
} from "./analysis/growth.js";
export { LiveCapture, type LiveCaptureOptions } from "./analysis/live-capture.js";
export type { ResidentMemory } from "./analysis/resident-memory.js";
export type { SizeBin } from "./analysis/size-histogram.js";
export { type ConnectOptions, SocketReader, type SocketReaderOptions } from "./analysis/socket-reader.js";
export type { LocationTotal, ModuleTotal, Statistics } from "./analysis/statistics.js";
export type {
  Interval,
  TemporalAllocationRecord,
  TemporalAllocationRecords,
  TemporalHighWaterMarkAllocationRecords,
} from "./analysis/temporal-records.js";
export { AggregateTable } from "./capture/aggregate.js";
export { ArrivingByteSource, type ByteSource, MemoryByteSource } from "./capture/byte-source.js";
export type { CaptureEnd, CaptureSource } from "./capture/capture-source.js";
export { CaptureDecoder, type DecoderOptions } from "./capture/decoder.js";
export { CaptureError, type CaptureErrorCode } from "./capture/errors.js";
export { EventBatch, SNAPSHOT_EVENT } from "./capture/event-batch.js";
export { type OpenOptions, openCapture } from "./capture/open-capture.js";
export type {
  AllocationRecord,
  CaptureHeader,
  Frame,
  MemorySnapshot,
  Metadata,
  ResidentPages,
} from "./capture/records.js";
export type { CaptureTables } from "./capture/tables.js";
export type { GunzipMember } from "./capture/unpacked-source.js";
export { AllocatorType } from "./capture/wire.js";
export { writeCsv } from "./reporters/csv.js";
export { ModuleSymbols, type ModuleSymbolsOptions } from "./symbols/module-symbols.js";
export type { ModuleFunctions, NativeFunction, NativeModule, NativeSymbols } from "./symbols/native-symbols.js";
export { SourceMaps, type SourcePosition } from "./symbols/source-maps.js";
export { SourceText } from "./symbols/source-text.js";
export { type ReadText, readTextFile } from "./symbols/text-files.js";

import type { AggregateTable } from "./aggregate.js";
import type { CaptureEnd } from "./capture-source.js";
import type { RawSnapshot } from "./event-batch.js";
import type { CaptureHeader } from "./records.js";
import type { CaptureTables } from "./tables.js";

/** What a record defines: its id, under which the tables have it now. */
export type DefinitionKind = "string" | "script" | "function" | "frame" | "node" | "thread" | "module";

/** One record of a capture. Ids are those of the tables. */
export type CaptureRecord =
  | { readonly kind: DefinitionKind; readonly id: number }
  | { readonly kind: "switch"; readonly thread: number }
  | {
      readonly kind: "allocation";
      readonly allocator: number;
      readonly thread: number;
      readonly node: number;
      readonly size: number;
      /** An address, or of a numbered block its number. */
      readonly address: number;
      readonly numbered: boolean;
    }
  | { readonly kind: "free"; readonly thread: number; readonly address: number; readonly numbered: boolean }
  | { readonly kind: "munmap"; readonly thread: number; readonly address: number; readonly size: number }
  | { readonly kind: "snapshot"; readonly snapshot: RawSnapshot }
  /** Its row in the aggregate. */
  | { readonly kind: "location"; readonly row: number }
  | { readonly kind: "totals" }
  /** The frame that got a name. */
  | { readonly kind: "symbol"; readonly frame: number }
  | { readonly kind: "trailer"; readonly end: CaptureEnd }
  /** A record of a later version. */
  | { readonly kind: "unknown"; readonly subtype: number; readonly bytes: number };

/** A capture record by record, definitions included: for looking at the capture itself. */
export interface CaptureWalk {
  /** Of the capture's format. */
  readonly version: number;
  readonly header: CaptureHeader;
  /** Grows as records are read. */
  readonly tables: CaptureTables;
  readonly aggregate: AggregateTable;
  /**
   * The records until the capture's end, or until one that was cut short.
   * @throws CaptureError `CORRUPT`
   */
  records(): Generator<CaptureRecord, void, undefined>;
}

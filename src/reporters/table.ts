import type { AllocationRecord, Metadata } from "../capture/records.js";
import type { Disclosure } from "./confidential-files.js";
import type { ReportKind } from "./flamegraph-data.js";
import type { SourceLine } from "./frame-table.js";
import { fillPage, pageMetadata, pageTitle, readPage } from "./report-page.js";
import { encodeTable } from "./table-codec.js";
import type { TableData } from "./table-data.js";
import { TableRows } from "./table-rows.js";

/** A table may be many times as large as a graph; the highest level would take minutes to save a few percent. */
const GZIP_LEVEL = 6;

/** What a table shows. */
export interface TableInput {
  /** Allocations, merged by location or not; not over threads, whose names stand for what has no stack. */
  readonly records: Iterable<AllocationRecord>;
  readonly metadata: Metadata;
  readonly kind: ReportKind;
  /** Whether rows of several threads are shown apart at first. */
  readonly splitThreads?: boolean;
  /** Text of source lines, asked for once per file and line that the table names. */
  readonly sourceLine?: SourceLine;
  /** What of files and paths the page may tell; everything unless told. */
  readonly disclosure?: Disclosure;
}

/** Reads the records once and gives the page's tables. */
export function tableData(input: TableInput): TableData {
  const rows = new TableRows();
  for (const record of input.records) rows.add(record);
  const { kind, metadata, splitThreads = false } = input;
  return {
    kind,
    metadata: pageMetadata(metadata, input.disclosure),
    splitThreads,
    ...rows.finish(input.sourceLine, input.disclosure),
  };
}

/** The page of a table, complete and self-contained. @throws Error when the page's template is not built */
export function tableHtml(data: TableData, title: string): string {
  return fillPage(readPage("table"), title, encodeTable(data), GZIP_LEVEL);
}

/**
 * The whole report as one HTML document that opens offline.
 * @throws Error when the page's template is not built
 */
export function renderTable(input: TableInput): string {
  return tableHtml(tableData(input), pageTitle(input.metadata, input.kind));
}

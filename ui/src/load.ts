import { decodeFlameGraph } from "../../src/reporters/flamegraph-codec.js";
import type { FlameGraphData } from "../../src/reporters/flamegraph-data.js";

/**
 * Unpacks what the reporter put into the page.
 * @throws Error that says what is wrong with the page or the browser
 */
export async function loadData(): Promise<FlameGraphData> {
  const text = document.getElementById("heapray-data")?.textContent?.trim() ?? "";
  if (text === "" || text.startsWith("heapray-data")) {
    throw new Error("this is the empty template; `heapray flamegraph` fills it with a capture");
  }
  if (typeof DecompressionStream === "undefined") {
    throw new Error(
      "this browser is too old for the report: it has no DecompressionStream (Chrome 80, Firefox 113, Safari 16.4)",
    );
  }
  const binary = atob(text);
  const packed = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) packed[i] = binary.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = decodeFlameGraph(new Uint8Array(await new Response(stream).arrayBuffer()));
  // A megabyte of text that nothing needs any more.
  document.getElementById("heapray-data")?.remove();
  return data;
}

/**
 * Unpacks what the reporter put into the page.
 * @throws Error that says what is wrong with the page or the browser
 */
export async function loadData<Data>(decode: (bytes: Uint8Array) => Data): Promise<Data> {
  const text = document.getElementById("heapray-data")?.textContent?.trim() ?? "";
  if (text === "" || text.startsWith("heapray-data")) {
    throw new Error("this is the empty template; a report of heapray is this page filled with a capture");
  }
  if (typeof DecompressionStream === "undefined") {
    throw new Error(
      "this browser is too old for the report: it has no DecompressionStream (Chrome 80, Firefox 113, Safari 16.4)",
    );
  }
  const packed = fromBase64(text);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = decode(new Uint8Array(await new Response(stream).arrayBuffer()));
  // Megabytes of text that nothing needs any more.
  document.getElementById("heapray-data")?.remove();
  return data;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  // New in browsers, and several times as fast.
  const { fromBase64: direct } = Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  if (direct) return direct.call(Uint8Array, text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

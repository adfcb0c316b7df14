/**
 * Writes a synthetic capture to a file, some million records a second and without holding it in memory.
 *   npx esbuild --bundle --platform=node --format=esm bench/reading/make-capture.ts |
 *     node --input-type=module - --records 100M --live 100k --stacks 10k --threads 4 --depth 20 capture.bin
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { nameOfShape, SHAPE_OPTIONS, shapeOf } from "./shape-options.js";
import { writeSyntheticCapture } from "./synthetic-capture.js";

const { values, positionals } = parseArgs({ options: SHAPE_OPTIONS, allowPositionals: true });
const [path] = positionals;
if (path === undefined) throw new Error("tell the file to write");
const shape = shapeOf(values);
const descriptor = openSync(path, "w");
let bytes = 0;
const records = writeSyntheticCapture(shape, (piece) => {
  for (let at = 0; at < piece.length; ) at += writeSync(descriptor, piece, at);
  bytes += piece.length;
});
closeSync(descriptor);
console.log(`${path}: ${nameOfShape(shape)}; ${records} records, ${bytes} bytes`);

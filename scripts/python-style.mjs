// Lints the package's Python sources and looks at their format, with ruff.
//   node scripts/python-style.mjs [--write]    --write formats them
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { PositionEncoding, Workspace } from "@astral-sh/ruff-wasm-nodejs";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
// What the tests track elsewhere is written as its test needs it.
const FOLDERS = ["python"];
const SETTINGS = {
  "line-length": 120,
  "target-version": "py39",
  lint: {
    select: ["E", "F", "W", "I", "N", "B", "C4", "PIE", "RET", "SIM", "ANN", "RUF"],
    // Any says what it says; `except: pass` is where the tracked program comes first; what is nested is tested.
    ignore: ["ANN401", "SIM105", "SIM117"],
    isort: { "known-first-party": ["heapray", "build_agent", "captures", "programs"] },
  },
};

const sources = FOLDERS.flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.pyi?$/.test(name) && !/node_modules|__pycache__/.test(name))
    .map((name) => path.join(folder, name)),
);
const ruff = new Workspace(SETTINGS, PositionEncoding.Utf16);
const write = process.argv.includes("--write");
let wrong = 0;
for (const source of sources) {
  const file = path.join(root, source);
  const text = readFileSync(file, "utf8");
  for (const { code, message, start_location: at } of ruff.check(text)) {
    wrong++;
    console.error(`${source}:${at.row}:${at.column}: ${code} ${message}`);
  }
  const formatted = ruff.format(text);
  if (formatted === text) continue;
  if (write) writeFileSync(file, formatted);
  else {
    wrong++;
    console.error(`${source}: not formatted; run "npm run format".`);
  }
}
if (wrong > 0) process.exitCode = 1;

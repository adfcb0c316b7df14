// The benchmarks' command line.
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { benchmarks } from "./benchmarks.mjs";
import { ways } from "./recording/ways.mjs";
import { root } from "./root.mjs";

/**
 * @typedef {object} Settings
 * @property {readonly string[]} benchmarks names of those to run
 * @property {readonly string[]} parts of the one benchmark that was named; empty: all
 * @property {readonly string[]} ways for recording, of being tracked; empty: all
 * @property {number} pairs runs of each comparison
 * @property {string} node the binary that the measured programs run on
 * @property {string} python the CPython that its programs' environment is made from
 * @property {string} out folder for the results
 * @property {boolean} short a minute in all, one pair of each
 */

const PAIRS = 15;
const SHORT_PAIRS = 1;

/**
 * @param {readonly string[]} args
 * @returns {Settings}
 * @throws {import("commander").CommanderError} help was asked for, or the arguments are wrong
 */
export function parseCommandLine(args) {
  const command = benchCommand().parse(args, { from: "user" });
  const [name, ...parts] = command.args;
  const { pairs, way, node, python, out, short } = command.opts();
  const benchmark = name === undefined ? undefined : benchmarks[name];
  if (name !== undefined && benchmark === undefined) {
    command.error(`there is no benchmark ${name}; the benchmarks are ${Object.keys(benchmarks).join(", ")}.`);
  }
  for (const part of parts) {
    if (!benchmark?.parts.includes(part)) {
      command.error(`there is no ${part} in ${name}; its parts are ${benchmark?.parts.join(", ")}.`);
    }
  }
  if (way.length > 0 && name !== "recording")
    command.error("--way is for recording: npm run bench -- recording --way native");
  return {
    benchmarks: name === undefined ? Object.keys(benchmarks) : [name],
    parts,
    ways: way,
    pairs: pairs ?? (short ? SHORT_PAIRS : PAIRS),
    node,
    python,
    out: path.resolve(out),
    short,
  };
}

function benchCommand() {
  return new Command("npm run bench --")
    .description("Measure heapray: what recording costs, how large captures are, how fast they are read and shown.")
    .argument("[benchmark]", `one of ${Object.keys(benchmarks).join(", ")} (default: all of them)`)
    .argument("[parts...]", "only these parts of it")
    .option("--pairs <n>", `runs of each comparison (default: ${PAIRS}; with --short, ${SHORT_PAIRS})`, positive)
    .option("--way <name>", `for recording, only this way of running the programs; repeat it for more`, wayNames, [])
    .option("--node <binary>", "the Node.js that the measured programs run on", executable, process.execPath)
    .option("--python <binary>", "for python, the CPython that the measured programs run on", "python3")
    .option("--out <folder>", "where the results go", path.join("build", "bench"))
    .option("--short", "all in about a minute: fewer programs and sizes, one pair of each", false)
    .exitOverride()
    .addHelpText("after", help());
}

function help() {
  const parts = Object.entries(benchmarks).map(
    ([name, { title, parts }]) => `  ${name.padEnd(10)} ${title}\n${" ".repeat(13)}${parts.join(", ")}\n`,
  );
  return `
Benchmarks and their parts:
${parts.join("")}
Ways (--way): ${Object.keys(ways).join(", ")}

Examples:
  npm run bench
  npm run bench -- --short
  npm run bench -- recording
  npm run bench -- recording tsc --pairs 31
  npm run bench -- recording loop --way tracked --way heaptrack --node .matrix/node_modules/node24/bin/node
  npm run bench -- python json deltablue pymalloc --python .matrix/python/3.14/usr/bin/python3.14
  npm run bench -- scale depth threads --out /tmp/before

The results go to <folder>/<benchmark>.md (tables) and .json (every single figure); those of several parts together
have all their names in that of the file.
`;
}

/** @param {string} text */
function positive(text) {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It takes a whole number above 0.");
  return value;
}

/**
 * @param {string} name
 * @param {string[]} before
 */
function wayNames(name, before) {
  if (!(name in ways)) throw new InvalidArgumentError(`The ways are ${Object.keys(ways).join(", ")}.`);
  return [...before, name];
}

/** @param {string} file */
function executable(file) {
  const binary = path.resolve(root, file);
  try {
    accessSync(binary, constants.X_OK);
  } catch {
    throw new InvalidArgumentError("There is no such program.");
  }
  return binary;
}

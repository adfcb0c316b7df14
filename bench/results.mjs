// What was measured: tables on standard output and in a Markdown file, all figures in a JSON file.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import path from "node:path";
import { root } from "./root.mjs";
import { markdown } from "./table.mjs";

/** @typedef {import("./table.mjs").Table} Table */

export class Results {
  /** @type {string[]} */
  #tables = [];
  /** @type {{ caption: string, figures: unknown }[]} */
  #figures = [];
  #machine;
  #settings;
  #name;

  /**
   * @param {import("./command-line.mjs").Settings} settings
   * @param {string} name of the files, without an ending
   */
  constructor(settings, name) {
    this.#settings = settings;
    this.#name = name;
    this.#machine = machine(settings.node);
    mkdirSync(settings.out, { recursive: true });
    this.#say(`## ${this.#machine.heapray}, Node.js ${this.#machine.node}, ${this.#machine.processor}`);
  }

  /**
   * Writes at once: what was measured survives whatever ends the rest.
   * @param {Table} table
   * @param {unknown} figures all that the table was made from
   */
  add(table, figures) {
    this.#figures.push({ caption: table.caption, figures });
    this.#say(markdown(table));
    const content = { ...this.#machine, settings: this.#settings, results: this.#figures };
    writeFileSync(this.#file(".json"), `${JSON.stringify(content, null, 1)}\n`);
  }

  /**
   * @param {string} ending of the file's name
   * @param {string} content
   */
  attach(ending, content) {
    const file = this.#file(ending);
    writeFileSync(file, content);
    this.#say(`![${path.basename(file)}](${path.basename(file)})`);
  }

  get files() {
    return [this.#file(".md"), this.#file(".json")];
  }

  /** @param {string} ending */
  #file(ending) {
    return path.join(this.#settings.out, `${this.#name}${ending}`);
  }

  /** @param {string} text */
  #say(text) {
    process.stdout.write(`${text}\n\n`);
    this.#tables.push(text);
    writeFileSync(this.#file(".md"), `${this.#tables.join("\n\n")}\n`);
  }
}

/** @param {string} node */
function machine(node) {
  const commit = output("git", ["-C", root, "rev-parse", "--short", "HEAD"]);
  const changed = output("git", ["-C", root, "status", "--porcelain"]) !== "";
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  return {
    heapray: commit === undefined ? "heapray" : `heapray ${commit}${changed ? " with changes" : ""}`,
    node: output(node, ["-p", "process.versions.node"]),
    processor: `${availableParallelism()} cores of ${cpus()[0]?.model.trim() || "an unknown processor"}, ${memory}`,
    date: new Date().toISOString(),
  };
}

/**
 * @param {string} binary
 * @param {string[]} args
 */
function output(binary, args) {
  const { status, stdout } = spawnSync(binary, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

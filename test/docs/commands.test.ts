import { readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { heapray, root } from "../support/heapray.js";
import { rowsOf } from "./markdown.js";

/** The words that help lists under a heading, one of them at the start of each entry. */
function listed(help: string, heading: string): string[] {
  const section = new RegExp(`^${heading}:\\n((?: .*\\n)+)`, "m").exec(help)?.[1] ?? "";
  return [...section.matchAll(/^ {2}(\S.*?)(?: {2}|$)/gm)].map(([, entry = ""]) => entry);
}

/** The names of options in a text, like `-o` and `--output`. Help's own is not told of in the documents. */
function optionNames(text: string): string[] {
  const names = [...text.matchAll(/(?<![\w-])--?[a-z][\w-]*/gi)].map(([name]) => name);
  return names.filter((name) => name !== "-h" && name !== "--help").sort();
}

/** Commands that read no capture. */
const NO_REPORTS = ["run", "live", "attach", "detach"];

const helps = new Map<string, string>();

function helpOf(...words: string[]): string {
  const name = words.join(" ");
  const help = helps.get(name) ?? heapray([...words, "--help"]).stdout;
  helps.set(name, help);
  return help;
}

const optionsOf = (...words: string[]) => optionNames(listed(helpOf(...words), "Options").join(" "));

const commands = listed(helpOf(), "Commands")
  .map((entry) => entry.split(" ")[0] ?? "")
  .filter((name) => name !== "help");

/** Formats have the same options, so they are told of once. */
const formats = listed(helpOf("transform"), "Commands").map((entry) => entry.split(" ")[0] ?? "");

const commandOptions = (name: string) => (name === "transform" ? optionsOf(name, formats[0] ?? "") : optionsOf(name));

describe("the commands' pages", () => {
  test("are one for each command, and the index leads to all of them", () => {
    const pages = readdirSync(path.join(root, "docs/commands")).map((page) => path.parse(page).name);
    expect(commands).toContain("flamegraph");
    expect(pages.sort()).toEqual([...commands].sort());
    const [, ...rows] = rowsOf("docs/cli.md", "command", "what it does");
    expect(rows.map(([name]) => name).sort()).toEqual(pages.map((name) => `[\`${name}\`](commands/${name}.md)`));
  });

  test.each(commands)("tell of every option of %s, and of no other", (name) => {
    const [, ...rows] = rowsOf(`docs/commands/${name}.md`, "option", "meaning");
    expect(optionNames(rows.map(([option]) => option).join(" "))).toEqual(commandOptions(name));
  });

  test("name every format of transform, which all have the same options", () => {
    const [, ...rows] = rowsOf("docs/commands/transform.md", "format", "file", "read by");
    expect(rows.map(([format]) => /\w+/.exec(format ?? "")?.[0])).toEqual(formats);
    for (const format of formats) expect(optionsOf("transform", format)).toEqual(commandOptions("transform"));
  });

  test("agree with the index's table of options", () => {
    const [head = [], ...rows] = rowsOf("docs/cli.md", "", "`flamegraph`");
    const reports = head.slice(1).map((name) => name.replaceAll("`", ""));
    expect([...reports].sort()).toEqual(commands.filter((name) => !NO_REPORTS.includes(name)).sort());
    for (const [option = "", ...cells] of rows) {
      const names = optionNames(option);
      if (names.length === 0) continue;
      const having = reports.filter((_, i) => cells[i] !== "");
      const actual = reports.filter((name) => names.every((one) => commandOptions(name).includes(one)));
      expect(having, option).toEqual(actual);
    }
  });
});

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ConfidentialFiles, disclosureOf } from "../../src/reporters/confidential-files.js";
import { flameGraphData } from "../../src/reporters/flamegraph.js";
import { tableData } from "../../src/reporters/table.js";
import { CaptureWriter, HEADER } from "../support/capture-writer.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { frame, metadata, record } from "../ui/synthetic.js";

const FILES = [
  "/home/ada/catalog/src/import.ts",
  "/home/ada/catalog/node_modules/zod/index.js",
  "/home/ada/other/src/import.ts",
  "/srv/shared/secret.js",
  "/home/ada/catalog/../private/keys.js",
  "node:buffer",
  "data:text/javascript,const password = 1",
];
const records = FILES.map((file, i) => record({ path: [frame(`f${i}`, file, i + 1)], size: 100 + i }));
const program = metadata({
  commandLine: ["/usr/bin/node", "/home/ada/catalog/src/import.ts", "--db=/home/ada/db", "--token", "hunter2"],
});

/** Files and source texts of a page, by function. */
function told(which: ConfidentialFiles, make: typeof flameGraphData | typeof tableData) {
  const { frames, strings, ...data } = make({
    records,
    snapshots: [],
    metadata: program,
    kind: "leaks",
    sourceLine: (file) => `text of ${file}`,
    disclosure: disclosureOf(which, program, "/home/bob"),
  });
  const rows = Array.from(frames.function, (name, i): [string, string, string] => [
    strings[name] as string,
    strings[frames.file[i] as number] as string,
    strings[frames.source[i] as number] as string,
  ]).filter(([name]) => /^f\d$/.test(name));
  return {
    files: rows.sort().map(([, file]) => file),
    sources: rows.map(([, , source]) => source),
    metadata: data.metadata,
    everything: JSON.stringify([strings, data.metadata]),
    categories: new Set(frames.category),
  };
}

describe.each([
  ["flame graph", flameGraphData],
  ["table", tableData],
] as const)("a %s", (_, make) => {
  test("by default has the project's own source text, and no home directory", () => {
    const { files, sources, metadata, everything } = told("default", make);
    expect(files).toEqual([
      "~/catalog/src/import.ts",
      "~/catalog/node_modules/zod/index.js",
      "~/other/src/import.ts",
      "/srv/shared/secret.js",
      "~/catalog/../private/keys.js",
      "node:buffer",
      "data:",
    ]);
    expect(sources.map((text) => text !== "")).toEqual([true, true, false, false, false, false, false]);
    expect(metadata.cwd).toBe("~/catalog");
    expect(metadata.commandLine.slice(1, 3)).toEqual(["~/catalog/src/import.ts", "--db=~/db"]);
    expect(everything.replaceAll("text of /home/ada/catalog/", "")).not.toMatch(/\/home|ada|password/);
  });

  test("without confidential files has everything", () => {
    const { files, sources, metadata } = told("none", make);
    expect(files).toEqual(FILES);
    expect(sources).toEqual(FILES.map((file) => `text of ${file}`));
    expect(metadata.commandLine).toEqual(program.commandLine);
  });

  test("of confidential files alone has names without folders, and no text", () => {
    const { files, sources, metadata, everything, categories } = told("all", make);
    expect(files.filter((file) => file.startsWith("import.ts")).sort()).toEqual(["import.ts", "import.ts (2)"]);
    expect(new Set(files).size).toBe(FILES.length);
    expect(files.join()).not.toContain("/");
    expect(sources.join("")).toBe("");
    expect(metadata).toMatchObject({ cwd: "", commandLine: ["node", "import.ts"] });
    expect(everything).not.toMatch(/ada|srv|catalog|hunter2|password|text of/);
    // Whose code it is was found out before.
    expect(categories).toEqual(told("none", make).categories);
  });
});

describe("the project", () => {
  test.each([
    ["/", "/opt/tools/dist/main.js", "/opt/tools/dist/main.js", true],
    ["/", "/opt/tools/dist/main.js", "/etc/app/secret.js", false],
    ["/home/ada", "/home/ada/app/main.js", "/home/ada/.config/secret.js", false],
    ["/home/ada", "/home/ada/app/main.js", "/home/ada/app/lib/x.js", true],
    ["/root", undefined, "/root/x.js", false],
    ["/srv/app", undefined, "/srv/apple/x.js", false],
    ["/srv/app/", undefined, "/srv/app/x.js", true],
  ])("of a program in %s (%s) has %s: %s", (cwd, script, file, shown) => {
    const commandLine = script === undefined ? ["node"] : ["node", script];
    const runtime = { name: "node" };
    expect(disclosureOf("default", { cwd, commandLine, runtime }, "/home/ada").showsSource(file)).toBe(shown);
  });
});

describe("on the command line", () => {
  let folder: Folder;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  test.each(["flamegraph", "table"])("%s --confidential-files", (command) => {
    const writer = new CaptureWriter({ ...HEADER, cwd: folder.path, commandLine: ["node", "app.js"] });
    const inside = folder.write("app.js", "const inside = 1;\n");
    writer.malloc(writer.stack(`main@${inside}:1`), 1000, 4096);
    folder.write("a.bin", writer.trailer(HEADER.startTimeMs + 1).finish());
    const pageOf = (...options: string[]): string => {
      const made = heapray([command, ...options, "-f", "-o", "out.html", "a.bin"], { cwd: folder.path });
      expect(made).toMatchObject({ status: 0, stderr: "" });
      const [, payload = ""] = /id="heapray-data">([^<]+)</.exec(readFileSync(folder.join("out.html"), "utf8")) ?? [];
      return gunzipSync(Buffer.from(payload, "base64")).toString("latin1");
    };
    for (const page of [pageOf(), pageOf("--confidential-files", "none")]) {
      expect(page).toContain("const inside = 1;");
      expect(page).toContain(folder.path);
    }
    const names = pageOf("--confidential-files=all");
    expect(names).toContain("app.js");
    expect(names).not.toContain("const inside");
    expect(names).not.toContain(folder.path);
    const { status, stderr } = heapray([command, "--confidential-files", "some", "a.bin"], { cwd: folder.path });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heapray: [^\n]*Allowed choices are default, all, none[^\n]*\n$/);
  });
});

import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { lineAt } from "../../src/capture/memray/python-lines.js";
import { pythons } from "./installed.js";

interface Tables {
  readonly hexversion: number;
  readonly codes: readonly {
    readonly name: string;
    readonly first: number;
    readonly table: string;
    readonly lines: Readonly<Record<string, number | null>>;
  }[];
}

const PYTHON_3_10 = 0x030a;

const found = [...pythons()];

test.runIf(found.length > 0).each(found)("Python %s: the lines are those that it gives itself", (_, python) => {
  const { stdout } = spawnSync(python, [path.join(import.meta.dirname, "line-tables.py")], { encoding: "utf8" });
  const { hexversion, codes } = JSON.parse(stdout) as Tables;
  // f_lasti counts instructions in 3.10, and bytes in every other release.
  const bytes = hexversion >>> 16 === PYTHON_3_10 ? 2 : 1;
  let compared = 0;
  for (const { name, first, table, lines } of codes) {
    const packed = Buffer.from(table, "base64");
    for (const [offset, line] of Object.entries(lines)) {
      if (line === null) continue;
      compared++;
      expect(lineAt(hexversion, packed, Number(offset) / bytes, first), `${name} at ${offset}`).toBe(line);
    }
  }
  expect(compared).toBeGreaterThan(1000);
});

test("a table that is damaged gives some line and does no harm", () => {
  for (const hexversion of [0x030900f0, 0x030a00f0, 0x030b00f0]) {
    for (let seed = 0; seed < 200; seed++) {
      const table = Uint8Array.from({ length: seed }, (_, i) => (seed * 31 + i * i * 17) & 255);
      expect(Number.isFinite(lineAt(hexversion, table, seed * 2, 10))).toBe(true);
    }
  }
});

test("an instruction that nothing is known of has no line", () => {
  expect(lineAt(0x030b00f0, new Uint8Array(), 0, 10)).toBe(0);
  expect(lineAt(0x030b00f0, Uint8Array.of(0xf0, 0x03, 0x01, 0x01), -1, 10)).toBe(0);
});

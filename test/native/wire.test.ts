import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { AllocatorType } from "../../src/capture/wire.js";
import { root } from "../support/heapray.js";

test("the agent and the reader number the allocators alike", () => {
  const header = readFileSync(path.join(root, "native/record/wire.h"), "utf8");
  const [, body = ""] = /enum class Allocator : uint8_t \{([^}]*)\}/.exec(header) ?? [];
  const agents = [...body.matchAll(/k(\w+) = (\d+)/g)].map(([, name = "", number]) => [
    name.replace(/(?<=.)[A-Z]/g, "_$&").toUpperCase(),
    Number(number),
  ]);
  const readers = Object.entries(AllocatorType).filter(([, number]) => typeof number === "number");
  expect(agents).toEqual(readers);
});

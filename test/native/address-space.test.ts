import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testProgram } from "./test-programs.js";

type Page = "none" | "reserved" | "counted" | "discarded";
type Range = readonly [begin: number, pages: number];
type Call =
  | { readonly name: "map"; readonly range: Range; readonly access: "rw" | "none" }
  | { readonly name: "protect"; readonly range: Range; readonly access: "rw" | "none" }
  | { readonly name: "unmap"; readonly range: Range }
  | { readonly name: "discard"; readonly range: Range }
  | { readonly name: "move"; readonly range: Range; readonly to: Range };

const PAGES = 64;

/** One state a page: the definition of what counts as memory (docs/capture-format.md), with nothing clever in it. */
class Model {
  readonly pages: Page[] = Array.from({ length: 2 * PAGES }, () => "none");

  apply(call: Call): void {
    const [begin, count] = call.range;
    const old = this.pages.slice(begin, begin + count);
    const set = ([from, n]: Range, next: (page: Page) => Page) => {
      for (let p = from; p < from + n; p++) this.pages[p] = next(this.pages[p] ?? "none");
    };
    if (call.name === "map") set(call.range, () => (call.access === "rw" ? "counted" : "reserved"));
    else if (call.name === "unmap") set(call.range, () => "none");
    else if (call.name === "discard") set(call.range, (page) => (page === "counted" ? "discarded" : page));
    else if (call.name === "move") {
      // The kernel moves one mapping only: all of its pages are alike.
      set(call.range, () => "none");
      set(call.to, () => old[0] ?? "none");
    } else set(call.range, (page) => (page === "none" ? page : call.access === "rw" ? "counted" : "reserved"));
  }
}

/** Plays calls against the agent's AddressSpace and returns, after each, the set of pages it has reported as memory. */
function play(calls: readonly Call[]): { reported: Set<number>; again: number[] }[] {
  const input = calls.map((call) => {
    const words: (string | number)[] = [call.name, ...call.range];
    if ("access" in call) words.push(call.access);
    if ("to" in call) words.push(...call.to);
    return words.join(" ");
  });
  const ended = spawnSync(testProgram("address_space_driver"), { input: `${input.join("\n")}\n`, encoding: "utf8" });
  expect(ended.status).toBe(0);
  const memory = new Set<number>();
  return ended.stdout
    .split("\n")
    .slice(0, calls.length)
    .map((line) => {
      const again: number[] = [];
      for (const change of line.split(" ").filter(Boolean)) {
        const [begin = 0, count = 0] = change.slice(1).split(":").map(Number);
        for (let page = begin; page < begin + count; page++) {
          // A page that is memory must not become it again, nor stop being it twice.
          if (change.startsWith("+") === memory.has(page)) again.push(page);
          if (change.startsWith("+")) memory.add(page);
          else memory.delete(page);
        }
      }
      return { reported: new Set(memory), again };
    });
}

const range = fc
  .tuple(fc.integer({ min: 0, max: PAGES - 1 }), fc.integer({ min: 1, max: PAGES }))
  .map(([begin, pages]): Range => [begin, Math.min(pages, PAGES - begin)]);
const access = fc.constantFrom("rw" as const, "none" as const);
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ name: fc.constant("map" as const), range, access }),
  fc.record({ name: fc.constant("protect" as const), range, access }),
  fc.record({ name: fc.constant("unmap" as const), range }),
  fc.record({ name: fc.constant("discard" as const), range }),
);

describe("the address space", () => {
  it("reports each page as memory once, whatever the calls", () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 60 }), (calls) => {
        const model = new Model();
        for (const [i, { reported, again }] of play(calls).entries()) {
          model.apply(calls[i] as Call);
          const expected = model.pages.flatMap((page, number) => (page === "counted" ? [number] : []));
          expect([...reported].sort((a, b) => a - b)).toEqual(expected);
          expect(again).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("moves a mapping with mremap: grown, shrunk, elsewhere", () => {
    fc.assert(
      fc.property(range, fc.integer({ min: 1, max: PAGES }), access, fc.boolean(), (from, pages, given, stay) => {
        const calls: Call[] = [
          { name: "map", range: from, access: given },
          { name: "move", range: from, to: [stay ? from[0] : PAGES, pages] },
        ];
        const model = new Model();
        for (const c of calls) model.apply(c);
        const last = play(calls).at(-1);
        const expected = model.pages.flatMap((page, number) => (page === "counted" ? [number] : []));
        expect([...(last?.reported ?? [])].sort((a, b) => a - b)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it("leaves alone what it does not know", () => {
    expect(play([{ name: "protect", range: [3, 4], access: "rw" }])[0]?.reported.size).toBe(0);
    expect(play([{ name: "discard", range: [3, 4] }])[0]?.reported.size).toBe(0);
  });
});

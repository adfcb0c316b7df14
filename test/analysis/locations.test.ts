import { expect, it } from "vitest";
import { Locations } from "../../src/analysis/locations.js";
import { EventBatch } from "../../src/capture/event-batch.js";

it("locations are one for each thread, stack and allocator, numbered as they appear", () => {
  const locations = new Locations();
  const triples: [number, number, number][] = [];
  for (let node = 0; node < 10; node++) {
    for (let thread = 1; thread <= 16; thread++) {
      for (let allocator = 1; allocator <= 40; allocator++) triples.push([thread, node, allocator]);
    }
  }
  const numbers = [...triples.keys()];
  for (const _round of ["new", "known"]) {
    expect(triples.map((triple) => locations.indexOf(...triple))).toEqual(numbers);
  }
  expect(locations.length).toBe(triples.length);
  expect(numbers.map((i) => [locations.thread.at(i), locations.node.at(i), locations.allocator.at(i)])).toEqual(
    triples,
  );
});

// A list of them all, walked for each, would take minutes.
it("a stack that hundreds of thousands of threads share is looked up as any other", () => {
  const locations = new Locations();
  const threads = Array.from({ length: 300_000 }, (_, i) => i + 1);
  expect(threads.every((thread) => locations.indexOf(thread, 7, 1) === thread - 1)).toBe(true);
  const batch = new EventBatch(threads.length);
  batch.kind.fill(1);
  batch.thread.set(threads);
  batch.node.fill(7);
  const indexes = new Uint32Array(threads.length);
  locations.indexesOf(batch, 0, threads.length, indexes);
  expect(indexes.every((index, i) => index === i)).toBe(true);
});

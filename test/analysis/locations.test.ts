import { expect, it } from "vitest";
import { Locations } from "../../src/analysis/locations.js";

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

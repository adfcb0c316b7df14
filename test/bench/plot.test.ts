import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { plot } from "../../bench/scale/plot.mjs";

test("a plot has a panel for each dimension and a line for each way", () => {
  const points = [10, 100, 1000].flatMap((x) => [
    { x, y: 50, line: "every allocation" },
    { x, y: 60 + x / 100, line: "aggregated" },
  ]);
  const svg = plot([
    { title: "the deeper", unit: "calls deep", points },
    { title: "the more", unit: "records", points },
  ]);
  const { document } = parseHTML(svg);
  expect(document.querySelectorAll("svg svg").length).toBe(2);
  expect(document.querySelectorAll("circle").length).toBe(12);
  for (const text of ["the deeper", "the more", "calls deep", "every allocation", "aggregated"])
    expect(svg).toContain(text);
});

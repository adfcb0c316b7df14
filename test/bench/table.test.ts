import { expect, test } from "vitest";
import { count, fromTo, markdown, ofPairs, ratioCell } from "../../bench/table.mjs";

test("a table's columns line up, and its cells keep the table whole", () => {
  const table = markdown({
    caption: "What it costs",
    columns: ["", "ratio"],
    rows: [
      ["tracked", "1.25"],
      ["a|b", "–"],
    ],
    notes: ["heaptrack is not installed, and left out."],
  });
  expect(table).toBe(
    [
      "### What it costs",
      "",
      "|         | ratio |",
      "| ------- | ----- |",
      "| tracked | 1.25  |",
      "| a\\|b    | –     |",
      "",
      "heaptrack is not installed, and left out.",
    ].join("\n"),
  );
});

test("without rows there are only the notes", () => {
  expect(markdown({ caption: "Page", columns: ["a"], rows: [], notes: ["left out"] })).toBe("### Page\n\nleft out");
});

test("cells", () => {
  const ratio = { median: 1.234, low: 1.2, high: 1.31, a: 116.4, b: 151.2 };
  expect(ratioCell(ratio)).toBe("1.23 (1.20-1.31)");
  expect(ratioCell({ ...ratio, low: 1.234, high: 1.234 })).toBe("1.23");
  expect(fromTo(ratio)).toBe("116 -> 151");
  expect(fromTo(ratio, 1)).toBe("116.4 -> 151.2");
  expect(count(1_608_667)).toBe("1,608,667");
  expect([ofPairs(1), ofPairs(7)]).toEqual(["1 pair", "7 pairs"]);
});

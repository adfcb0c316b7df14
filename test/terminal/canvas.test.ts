import termkit from "terminal-kit";
import { expect, test } from "vitest";
import { canvasOf, type Span } from "../../src/terminal/screen.js";

const WIDTH = 12;

/** A row of an area of 6 columns in the middle, between the borders of others. */
function drawn(spans: readonly Span[], from = 0): string {
  const buffer = new termkit.ScreenBuffer({ width: WIDTH, height: 1 } as never);
  const canvas = canvasOf(buffer, true);
  canvas.row({ x: 0, y: 0, width: 3, height: 1 }, 0, [{ text: "<<<" }]);
  canvas.row({ x: 9, y: 0, width: 3, height: 1 }, 0, [{ text: ">>>" }]);
  canvas.row({ x: 3, y: 0, width: 6, height: 1 }, 0, spans, from);
  return buffer.dumpChars().replace("\n", "");
}

test.each([
  ["abc", 0, "<<<abc   >>>"],
  ["abcdefgh", 0, "<<<abcdef>>>"],
  ["abcdefgh", 3, "<<<defgh >>>"],
  ["abcdefgh", 8, "<<<      >>>"],
  ["abcdefgh", 80, "<<<      >>>"],
  // Characters of two columns have a space in their second cell; there is no half of one.
  ["読込", 0, "<<<読 込   >>>"],
  ["a読込読込", 0, "<<<a読 込  >>>"],
  ["読込ab", 1, "<<< 込 ab >>>"],
  ["e\u0301a\u200b\u0308b\u202e", 0, "<<<éab   >>>"],
  ["😀😀😀😀", 0, "<<<😀 😀 😀 >>>"],
])("%j from column %d", (text, from, expected) => {
  expect(drawn([{ text }], from)).toBe(expected);
});

test("nothing is drawn outside of the canvas", () => {
  const buffer = new termkit.ScreenBuffer({ width: 4, height: 2 } as never);
  const canvas = canvasOf(buffer, false);
  canvas.row({ x: 0, y: 0, width: 4, height: 2 }, 2, [{ text: "below" }]);
  canvas.row({ x: 0, y: 0, width: 4, height: 2 }, -1, [{ text: "above" }]);
  canvas.row({ x: 0, y: 0, width: 0, height: 2 }, 0, [{ text: "none" }]);
  expect(buffer.dumpChars().trim()).toBe("");
});

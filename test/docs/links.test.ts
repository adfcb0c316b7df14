import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/heapray.js";
import { anchorsOf, documents, linksOf, proseOf } from "./markdown.js";

const PICTURES = "docs/pictures";

/** Of a document's links, those that lead nowhere. */
function brokenLinks(document: string): string[] {
  return linksOf(proseOf(document)).filter((link) => {
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? document : path.join(path.dirname(document), file);
    if (!existsSync(path.join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(proseOf(target)).has(anchor);
  });
}

test("links are found, also those that lead nowhere", () => {
  expect(linksOf('[a](b.md#c) <img src="d.png"> [web](https://example.org) ![e](f.png)')).toEqual([
    "b.md#c",
    "d.png",
    "f.png",
  ]);
  expect([...anchorsOf("# `stats`: where RSS went?\n## Two\n## Two\n")]).toEqual([
    "stats-where-rss-went",
    "two",
    "two-1",
  ]);
});

test.each(documents())("every link of %s leads somewhere", (document) => {
  expect(brokenLinks(document)).toEqual([]);
});

test("every picture is shown somewhere, and small", () => {
  const shown = new Set(
    documents().flatMap((document) =>
      linksOf(proseOf(document)).map((link) => path.join(path.dirname(document), link)),
    ),
  );
  for (const name of readdirSync(path.join(root, PICTURES))) {
    const picture = path.join(PICTURES, name);
    expect(shown, `no document shows ${picture}`).toContain(picture);
    expect(statSync(path.join(root, picture)).size, picture).toBeLessThan(200_000);
  }
});

// Cost against work as a picture: a panel for each dimension, a line for each way of tracking.
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/**
 * @typedef {object} Panel
 * @property {string} title
 * @property {string} unit of x, on a logarithmic scale
 * @property {readonly { x: number, y: number, line: string }[]} points y: nanoseconds an allocation
 */

const WIDTH = 460;
const HEIGHT = 300;
const COLUMNS = 2;
const LEGEND = 36;
const COLOURS = ["#4269d0", "#d9620f", "#2f8f5b", "#8f4fb8"];

/**
 * @param {readonly Panel[]} panels
 * @returns {string} SVG
 */
export function plot(panels) {
  const { document } = parseHTML("<html></html>");
  const all = panels.flatMap(({ points }) => points);
  const lines = [...new Set(all.map(({ line }) => line))];
  // The panels share a scale.
  const domain = [Math.min(0, ...all.map(({ y }) => y)), Math.max(10, ...all.map(({ y }) => y))];
  const placed = panels.map((panel, i) => {
    const [x, y] = [(i % COLUMNS) * WIDTH, LEGEND + Math.floor(i / COLUMNS) * HEIGHT];
    return `<g transform="translate(${x} ${y})">${drawn(panel, lines, domain, document)}</g>`;
  });
  const [width, height] = [
    Math.min(COLUMNS, panels.length) * WIDTH,
    LEGEND + Math.ceil(panels.length / COLUMNS) * HEIGHT,
  ];
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const paper = `<rect width="${width}" height="${height}" fill="white"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} color="#222">${paper}${legend(lines)}${placed.join("")}</svg>\n`;
}

/** @param {readonly string[]} lines */
function legend(lines) {
  const names = lines.map((line, i) => `<tspan fill="${COLOURS[i]}" dx="16">● ${line}</tspan>`);
  const what = `<tspan font-weight="bold">What tracking adds to an allocation, in nanoseconds</tspan>`;
  return `<text x="12" y="22" font-family="system-ui, sans-serif" font-size="13">${what}${names.join("")}</text>`;
}

/**
 * @param {Panel} panel
 * @param {readonly string[]} lines
 * @param {readonly number[]} domain of y
 * @param {Document} document
 */
function drawn({ title, unit, points }, lines, domain, document) {
  const data = [...points];
  const line = { x: "x", y: "y", stroke: "line" };
  return Plot.plot({
    document,
    width: WIDTH,
    height: HEIGHT,
    marginTop: 40,
    marginRight: 30,
    x: {
      type: "log",
      label: unit,
      labelAnchor: "center",
      ticks: [...new Set(points.map(({ x }) => x))],
      tickFormat: "~s",
    },
    y: { label: null, domain, grid: true, nice: true },
    color: { type: "ordinal", domain: lines, range: COLOURS.slice(0, lines.length) },
    marks: [
      Plot.ruleY([0]),
      Plot.lineY(data, line),
      Plot.dot(data, { ...line, fill: "line", r: 2.5 }),
      Plot.text([title], { frameAnchor: "top-left", dy: -24, fontSize: 12, fontWeight: "bold" }),
    ],
  }).outerHTML;
}

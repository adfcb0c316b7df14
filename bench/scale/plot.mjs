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
const HEIGHT = 320;
const COLUMNS = 2;

/**
 * @param {readonly Panel[]} panels
 * @returns {string} SVG
 */
export function plot(panels) {
  const { document } = parseHTML("<html></html>");
  const most = Math.max(10, ...panels.flatMap(({ points }) => points.map(({ y }) => y)));
  const columns = Math.min(COLUMNS, panels.length);
  const rows = Math.ceil(panels.length / COLUMNS);
  const placed = panels.map((panel, i) => {
    const [x, y] = [(i % COLUMNS) * WIDTH, Math.floor(i / COLUMNS) * HEIGHT];
    return `<g transform="translate(${x} ${y})">${drawn(panel, most, document)}</g>`;
  });
  const [width, height] = [columns * WIDTH, rows * HEIGHT];
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const paper = `<rect width="${width}" height="${height}" fill="white"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} color="#222">${paper}${placed.join("")}</svg>\n`;
}

/**
 * @param {Panel} panel
 * @param {number} most the largest y of all panels, which share a scale
 * @param {Document} document
 */
function drawn({ title, unit, points }, most, document) {
  const data = [...points];
  const line = { x: "x", y: "y", stroke: "line" };
  return Plot.plot({
    document,
    width: WIDTH,
    height: HEIGHT,
    marginTop: 48,
    marginRight: 130,
    x: { type: "log", label: unit, ticks: [...new Set(points.map(({ x }) => x))], tickFormat: "~s" },
    y: {
      label: "ns an allocation, on top",
      domain: [Math.min(0, ...points.map(({ y }) => y)), most],
      grid: true,
      nice: true,
    },
    color: { type: "categorical", scheme: "observable10" },
    marks: [
      Plot.ruleY([0]),
      Plot.lineY(data, line),
      Plot.dot(data, { ...line, fill: "line", r: 2.5 }),
      Plot.text(
        data,
        Plot.selectLast({ x: "x", y: "y", z: "line", text: "line", fill: "line", dx: 8, textAnchor: "start" }),
      ),
      Plot.text([title], { frameAnchor: "top", dy: -36, fontSize: 13, fontWeight: "bold" }),
    ],
  }).outerHTML;
}

// Tables as Markdown, in columns that line up in a terminal too.

/**
 * @typedef {object} Table
 * @property {string} caption
 * @property {readonly string[]} columns
 * @property {readonly (readonly string[])[]} rows
 * @property {readonly string[]} [notes] lines below the table
 */

/**
 * @param {Table} table
 * @returns {string} without a newline at its end
 */
export function markdown({ caption, columns, rows, notes = [] }) {
  const cells = [columns, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = columns.map((_, i) => Math.max(3, ...cells.map((row) => [...(row[i] ?? "")].length)));
  const line = (/** @type {readonly string[]} */ row) =>
    `| ${widths.map((width, i) => pad(row[i] ?? "", width)).join(" | ")} |`;
  const [head = [], ...body] = cells;
  const table =
    rows.length === 0 ? [] : [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)];
  return [`### ${caption}`, table.join("\n"), notes.join("\n\n")].filter((part) => part !== "").join("\n\n");
}

/**
 * @param {string} text
 * @param {number} width characters
 */
function pad(text, width) {
  return text + " ".repeat(Math.max(0, width - [...text].length));
}

/**
 * @param {import("./paired.mjs").Ratio} ratio
 * @returns {string} `1.23 (1.20-1.31)`: the median, and what half of the pairs lie within, where there are several
 */
export function ratioCell({ median, low, high }) {
  if (low === high) return median.toFixed(2);
  return `${median.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;
}

/**
 * @param {import("./paired.mjs").Ratio} ratio
 * @param {number} [digits]
 * @returns {string} `116 -> 151`
 */
export function fromTo({ a, b }, digits = 0) {
  return `${a.toFixed(digits)} -> ${b.toFixed(digits)}`;
}

/**
 * @param {number} value
 * @returns {string} `1,608,667`
 */
export function count(value) {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** @param {number} pairs */
export function ofPairs(pairs) {
  return pairs === 1 ? "1 pair" : `${pairs} pairs`;
}

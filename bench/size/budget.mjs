// What a capture may take: so many bytes a record, so many a distinct stack node, before and after compression.

/**
 * @typedef {object} Budget
 * @property {number} record bytes
 * @property {number} node bytes
 */

/** @type {Budget} */
export const uncompressedBudget = { record: 6, node: 5 };
/** @type {Budget} */
export const compressedBudget = { record: 1, node: 2 };

/**
 * @param {Budget} budget
 * @param {{ records: number, nodes: number }} counts
 * @returns {number} bytes
 */
export function allowed(budget, { records, nodes }) {
  return records * budget.record + nodes * budget.node;
}

/** Columns aligned: numbers to the right, the last one to the left. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const last = (rows[0]?.length ?? 0) - 1;
  const widths = Array.from({ length: last }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  return rows.map((row) => `  ${row.map((cell, i) => (i === last ? cell : cell.padStart(widths[i] ?? 0))).join("  ")}`);
}

/** memray's way: `5.243MB`, units of 1000, three decimals. */
export function formatSize(bytes: number): string {
  let value = bytes;
  for (const unit of ["", "k", "M", "G", "T", "P", "E", "Z"]) {
    if (Math.abs(value) < 1000) return `${value.toFixed(3)}${unit}B`;
    value /= 1000;
  }
  return `${value.toFixed(1)}YB`;
}

/** `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `12.5%` */
export function share(part: number, whole: number): string {
  return whole === 0 ? "0.0%" : `${((100 * part) / whole).toFixed(1)}%`;
}

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

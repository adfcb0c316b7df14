import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A folder within the package, wherever this code was bundled to. The CommonJS bundles have no import.meta.url:
 * there the build defines it from __filename.
 */
export function packageFolder(): string {
  return path.dirname(fileURLToPath(import.meta.url));
}

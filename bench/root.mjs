import { mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's folder. */
export const root = path.resolve(fileURLToPath(import.meta.url), "../..");

/** @param {string} name of a file in bench/programs */
export function program(name) {
  return path.join(root, "bench/programs", name);
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {string} the folder of that name in it
 */
export function subfolder(folder, name) {
  const made = path.join(folder, name);
  mkdirSync(made, { recursive: true });
  return made;
}

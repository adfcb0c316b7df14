import { buildPython } from "../../scripts/build-python.mjs";
import { type Python, testedPythons } from "../../scripts/pythons.mjs";

export type { Python };

/** The versions of CPython that tracking is tested on: the newest here, or with HEAPRAY_PYTHON_VERSIONS=all, every one. */
export const pythons: readonly Python[] = testedPythons();

const built = new Map<string, string>();

/** The binary of an environment that has heapray, built when it is first asked for. */
export function withHeapray(python: Python): string {
  const binary = built.get(python.path) ?? buildPython(python);
  built.set(python.path, binary);
  return binary;
}

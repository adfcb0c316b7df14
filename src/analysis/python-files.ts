/** What a code object of Python says it is from, where that tells it from any other runtime's. */
const PYTHON = /^<frozen |\.pyw?$/;
/** The standard library where installations have it, zipped and frozen modules included. */
const STANDARD_LIBRARY = /^<frozen |\/lib(?:32|64)?\/(?:python|pypy)\d[^/]*\/|\/python\d+\.zip\//;
/** Where installed packages are, below the standard library's folder or not. */
const PACKAGES = /(?:^|\/)(?:site|dist)-packages\//;
/** Of an installed package, or of a module of one file. */
const PACKAGE = /^.*(?:^|\/)(?:site|dist)-packages\/([^/]+?)(?:\.pyw?)?(?:\/|$)/;
/** heapray's own, installed or in its checkout, and what it has Python begin with. */
const HEAPRAY = /(?:(?:site|dist)-packages|\/python)\/heapray\/[^/]+\.py$|\/python\/launch\/(?:preload\/)?\w+\.py$/;

const RUNPY = /^<frozen runpy>$|\/runpy\.py$/;
/** runpy's functions on the stack of whatever a program does that was started with it. */
const RUNS = /^(?:_run_module_as_main|_run_code|_run_module_code|run_path|run_module)$/;

/** Whether a file can only be Python's. Scripts without an ending, and code that has no file, are not told apart. */
export function isPythonFile(file: string): boolean {
  return PYTHON.test(file);
}

/** Whose code a file of Python is; `<string>` and `<stdin>` are the program's. */
export function originOfPython(file: string): "program" | "dependency" | "internal" {
  if (HEAPRAY.test(file)) return "internal";
  if (PACKAGES.test(file)) return "dependency";
  return STANDARD_LIBRARY.test(file) ? "internal" : "program";
}

/** Whether a file is of the standard library, as the capture tells where that is. */
export function isBelowLibrary(file: string, folders: readonly string[]): boolean {
  if (PACKAGES.test(file)) return false;
  return folders.some((folder) => folder !== "" && file.startsWith(folder.endsWith("/") ? folder : `${folder}/`));
}

/** `requests`, of a file of that package; undefined where a file is of none. */
export function packageOfPython(file: string): string | undefined {
  return PACKAGE.exec(file)?.[1];
}

/** Whether a frame runs the program on somebody's behalf: heapray's, or that of `python -m`. */
export function runsProgram({ function: name, file }: { readonly function: string; readonly file: string }): boolean {
  return HEAPRAY.test(file) || (RUNPY.test(file) && RUNS.test(name));
}

import { execFileSync } from "node:child_process";
import type { Folder } from "../support/heapray.js";

/** Shared objects that tests look symbols up in. */

export const C_SOURCE = `
#include <stdlib.h>
void *kept;
static __attribute__((noinline)) void hidden(int n) { kept = malloc(n); __asm__ volatile(""); }
void exported(int n) { hidden(n); __asm__ volatile(""); }
__asm__(".text\\n.globl label_without_size\\nlabel_without_size:\\n nop\\n nop\\n nop\\n nop\\n.globl sized\\n.type sized,@function\\n"
        "sized:\\n nop\\n nop\\n.size sized, .-sized\\n nop\\n nop\\n nop\\n nop\\n");
`;

export const CXX_SOURCE = `#include <cstdlib>
namespace app {
void *kept;
inline __attribute__((always_inline)) void grab(int n) {
  kept = malloc(n);
  asm volatile("");
}
template <typename T> struct Pool {
  __attribute__((noinline)) void fill(int n) {
    grab(n * sizeof(T));
    asm volatile("");
  }
};
}
extern "C" void start(int n) {
  app::Pool<long> pool;
  pool.fill(n);
  asm volatile("");
}
`;

/** Compiles a shared object; its path. */
export function compile(folder: Folder, name: string, source: string, ...flags: string[]): string {
  const language = source === CXX_SOURCE ? "cc" : "c";
  const file = folder.write(`${name.replace(/\.(so|node)$/, "")}.${language}`, source);
  const compiler = language === "cc" ? "g++" : "gcc";
  const library = folder.join(name);
  execFileSync(compiler, ["-shared", "-fPIC", "-O2", "-Wl,--build-id=sha1", ...flags, "-o", library, file]);
  return library;
}

export function buildId(library: string): string {
  return (
    /Build ID: ([0-9a-f]+)/.exec(execFileSync("readelf", ["-n", library], { encoding: "utf8", stdio: "pipe" }))?.[1] ??
    ""
  );
}

/** What binutils say of a library's functions, by symbol: where they begin and how long they are. */
export function functionsOf(library: string): ReadonlyMap<string, { readonly start: number; readonly size: number }> {
  const functions = new Map<string, { start: number; size: number }>();
  const table = execFileSync("readelf", ["-sW", library], { encoding: "utf8", maxBuffer: 2 ** 28 });
  for (const line of table.split("\n")) {
    const [, value, size, type, , , , name] = line.trim().split(/\s+/);
    if (name !== undefined && type !== "OBJECT" && !functions.has(name)) {
      functions.set(name, { start: Number.parseInt(value ?? "", 16), size: Number(size) });
    }
  }
  return functions;
}

/** The return addresses of the calls to a function, as the disassembler shows them. */
export function returnsFrom(library: string, callee: RegExp): number[] {
  const lines = execFileSync("objdump", ["-d", "--no-show-raw-insn", library], { encoding: "utf8" }).split("\n");
  const returns: number[] = [];
  lines.forEach((line, i) => {
    if (/\scall\s/.test(line) && callee.test(line)) {
      returns.push(Number.parseInt(/^\s*([0-9a-f]+):/.exec(lines[i + 1] ?? "")?.[1] ?? "", 16));
    }
  });
  return returns;
}

import type { Language } from "../capture/language.js";
import type { AllocationRecord, Frame } from "../capture/records.js";
import { type FrameOrigin, originOf } from "./frame-origin.js";
import { packageOfPython } from "./python-files.js";

/** What tells a thread. */
type Thread = Pick<AllocationRecord, "threadName" | "tid" | "language">;

/** Native functions that say no more than "allocates": operators, containers, Rust's and CPython's parts of an allocation. */
const ALLOCATES_FOR_OTHERS = new RegExp(
  [
    "^(?:operator new|<inlined>|(?:std|__gnu_cxx|alloc|core)::|__r(?:ust|dl|g)_)",
    "^(?:_?PyMem_|_PyObject_(?:Malloc|Calloc|Realloc|ArenaMmap|GC_)|pymalloc_|allocate_from_new_pool$|new_arena$)",
  ].join("|"),
);

const RANKS: Readonly<Partial<Record<FrameOrigin, number>>> = { program: 0, dependency: 1, internal: 2, builtin: 3 };
/** Of native code; of that which allocates for others. */
const NATIVE_RANK = 4;
const LAST_RANK = 5;

/** How readily a frame answers for an allocation, from 0 on: the program's own, those of packages, of the runtime, native ones. */
export function answeringRank(frame: Frame): number {
  const known = RANKS[originOf(frame)];
  return known ?? (ALLOCATES_FOR_OTHERS.test(frame.function) ? LAST_RANK : NATIVE_RANK);
}

/**
 * The frame that answers for an allocation: the innermost one of the program itself, or where a stack has none, of one
 * of its packages, or of the runtime. Native code answers only for what has nothing of these at all; where there is no
 * stack, the frame has no file and the thread's name.
 */
export function answeringFrame(frames: readonly Frame[], thread: Thread): Frame {
  let best: Frame | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const frame of frames) {
    const rank = answeringRank(frame);
    if (rank === 0) return frame;
    if (rank < bestRank) [best, bestRank] = [frame, rank];
  }
  return best ?? { function: nameWithoutFrames(thread), file: "", line: 0, column: 0 };
}

/** What answers for a thread's allocations without a stack. */
export function nameWithoutFrames({ threadName, tid, language = "JavaScript" }: Thread): string {
  return `thread ${threadName || tid}, no ${language}`;
}

/**
 * The module that answers for an allocation: that of the innermost frame of the program or of a package. A package is
 * one module, each of the program's own files another, named by its path below `cwd`.
 */
export function answeringModule(frames: readonly Frame[], cwd: string, language: Language = "JavaScript"): string {
  let runs = false;
  for (const frame of frames) {
    const origin = originOf(frame);
    if (origin === "dependency") return packageOf(frame.file);
    if (origin === "program") return below(cwd, frame.file);
    runs ||= origin === "internal" || origin === "builtin";
  }
  return runs ? "<runtime>" : `<no ${language}>`;
}

/** `sharp`, `@scope/name`: of the innermost node_modules folder; `requests`, of Python. */
function packageOf(file: string): string {
  const python = packageOfPython(file);
  if (python !== undefined) return python;
  const [, name] = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
  return name ?? file;
}

function below(folder: string, file: string): string {
  const prefix = folder.endsWith("/") ? folder : `${folder}/`;
  return file.startsWith(prefix) ? file.slice(prefix.length) : file;
}

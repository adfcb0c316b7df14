import type { Frame } from "../capture/records.js";

/** Node.js's JavaScript that finds, compiles and runs modules, its own and the program's. */
const LOADER = /^node:internal\/(?:modules\/|bootstrap\/realm$|process\/esm_loader$|vm\/module$|module_hooks)/;
/** Node.js's JavaScript that starts programs, and calls their functions when something has happened. */
const RUNS_PROGRAMS =
  /^node:internal\/(?:main\/|bootstrap\/|process\/(?:pre_execution|execution|task_queues|promises)$|timers$|async_hooks$|vm$)/;
/** The engine's functions that call others. */
const BUILTINS_THAT_CALL = /^(?:RunMicrotasks|next|Function\.prototype\.(?:apply|call)|Reflect\.(?:apply|construct))$/;
/** Machine code that does so: V8's calls and microtasks, Node.js's callbacks, libuv's loop, what starts a thread or process. */
const NATIVE_THAT_CALLS = new RegExp(
  [
    "^(?:Builtins_|_start$|main$|__libc_start|start_thread$|_*clone3?$|uv_run$|uv__run_|uv__io_poll$|uv__work_done$)",
    "^v8::internal::(?:\\(anonymous namespace\\)::)?Invoke",
    "^v8::internal::(?:Execution|MicrotaskQueue|FunctionCallbackArguments|Builtin_HandleApiCall|SourceTextModule)",
    "^v8::(?:Function::Call|Module::Evaluate|Script::Run|MicrotasksScope)",
    "^node::(?:InternalCallbackScope|InternalMakeCallback|MakeCallback|AsyncWrap::MakeCallback|SpinEventLoop|Start)",
    "^node::(?:LoadEnvironment|NodeMainInstance|Environment::Run|builtins::|loader::ModuleWrap::Evaluate)",
  ].join("|"),
);

/** Whether a frame belongs to what loads modules. */
export function isLoader({ file }: Pick<Frame, "file">): boolean {
  return LOADER.test(file);
}

/** Whether a frame only calls others: it is on the stacks of whatever a program does, and says nothing of it. */
export function isMachinery({ function: name, file, native }: Pick<Frame, "function" | "file" | "native">): boolean {
  if (native || file === "<native>") return NATIVE_THAT_CALLS.test(name);
  if (file === "<builtin>") return BUILTINS_THAT_CALL.test(name);
  return RUNS_PROGRAMS.test(file);
}

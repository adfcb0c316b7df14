import type { Frame } from "../capture/records.js";
import { runsProgram } from "./python-files.js";

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

/** Python's import system. */
const PYTHON_LOADER = /^<frozen (?:importlib|zipimport)|\/importlib\/(?:_bootstrap(?:_external)?|__init__)\.py$/;
/** Of CPython's machine code, the part of import statements. */
const NATIVE_LOADER = /^(?:import_name|import_from|import_all_from|import_find_and_load|_?PyImport_Import\w*)$/;
/** Python code that starts threads and processes, and calls the program's functions when something has happened. */
const PYTHON_THAT_CALLS: readonly (readonly [file: RegExp, functions: RegExp])[] = [
  [/\/threading\.py$/, /^(?:Thread\.)?(?:_bootstrap|_bootstrap_inner|run)$/],
  [/\/asyncio\/\w+\.py$/, /(?:^|\.)(?:run|_run|_run_once|run_forever|run_until_complete)$/],
  [/\/concurrent\/futures\/(?:thread|process)\.py$/, /^(?:_worker|_process_worker|(?:_WorkItem\.)?run)$/],
  [/\/multiprocessing\/(?:process|spawn|forkserver|popen_\w+)\.py$/, /./],
];
/** CPython's machine code that runs Python's functions, calls whatever they call, and starts programs. */
const INTERPRETER = new RegExp(
  [
    "^(?:_?PyEval_|_PyFunction_|_?PyVectorcall_|_?PyObject_(?:Fast|MakeTp)?(?:Call|Vectorcall)|_?PyCFunction_|_TAIL_CALL_)",
    "^(?:Py_RunMain|Py_BytesMain|Py_Main|pymain_|_?PyRun_|pyrun_|run_eval_code_obj$|run_mod$|pythread_wrapper$)",
    "^(?:\\w*vectorcall\\w*|slot_tp_(?:call|init|new)|type_call|method_call|cfunction_\\w+|wrapperdescr_\\w+)$",
    "^(?:do_call_core|function_code_fastcall|classmethoddescr_call|instancemethod_call|object_vacall)$",
    "^(?:builtin_exec(?:_impl)?|gen_(?:send_ex2?|iternext))$",
  ].join("|"),
);
/** The same, by names that others have too. */
const INTERPRETER_PERHAPS = /^(?:call_function|thread_run|context_run|trampoline)$/;

/** Whether a frame belongs to what loads modules. */
export function isLoader({ function: name, file, native }: Pick<Frame, "function" | "file" | "native">): boolean {
  if (native || file === "<native>") return NATIVE_LOADER.test(name);
  return LOADER.test(file) || PYTHON_LOADER.test(file);
}

/** Whether a frame only calls others: it is on the stacks of whatever a program does, and says nothing of it. */
export function isMachinery({ function: name, file, native }: Pick<Frame, "function" | "file" | "native">): boolean {
  if (native || file === "<native>")
    return NATIVE_THAT_CALLS.test(name) || INTERPRETER.test(name) || INTERPRETER_PERHAPS.test(name);
  if (file === "<builtin>") return BUILTINS_THAT_CALL.test(name);
  if (RUNS_PROGRAMS.test(file)) return true;
  return runsProgram({ function: name, file }) || PYTHON_THAT_CALLS.some(([f, n]) => f.test(file) && n.test(name));
}

/** Whether machine code is what CPython runs Python's functions, and imports modules, with. */
export function isInterpreter({ function: name, native }: Pick<Frame, "function" | "native">): boolean {
  return native === true && (INTERPRETER.test(name) || NATIVE_LOADER.test(name));
}

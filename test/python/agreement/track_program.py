"""Runs main() of a program under a tracker: `track_program.py TRACKER CAPTURE PROGRAM [OPTION]...`.

TRACKER is the module with the Tracker, memray or heapray. Options are Tracker's arguments that are true, and
`profiled`: each call and return is reported to a C function that does nothing, as memray has them reported to its own.
"""

import ctypes
import gc
import importlib
import importlib.util
import sys
import threading
from typing import Callable


def main_of(file: str) -> Callable[[], None]:
    spec = importlib.util.spec_from_file_location("program", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["program"] = module
    spec.loader.exec_module(module)
    return module.main  # type: ignore[no-any-return]


def profile(*_: object) -> None:
    """CPython makes an object of each frame for a function that it reports calls to, whatever that function does."""
    # Any C function that returns 0 and looks at no argument.
    nothing = ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p)
    ctypes.pythonapi.PyEval_SetProfile(nothing, None)


def reserve() -> "list[bytes]":
    """Room in pymalloc's arenas, so that no line of the program happens to be the one that needs another arena."""
    blocks = [bytes(200) for _ in range(200_000)]
    # One in each arena keeps it.
    return blocks[::1_000]


def track(tracker: str, capture: str, program: str, *options: str) -> None:
    module = importlib.import_module(tracker)
    main = main_of(program)
    # Twice untracked: what is made once only (imports, caches, code that is specialized) is no part of the comparison.
    main()
    main()
    gc.disable()
    reserved = reserve()
    gc.collect()
    with module.Tracker(capture, **{option: True for option in options if option != "profiled"}):
        if "profiled" in options:
            threading.setprofile(profile)
            profile()
        # Empties the lists of freed objects that CPython keeps for the next ones: the trackers fill them differently.
        gc.collect()
        main()
        # memray takes its own off itself.
        if "profiled" in options:
            sys.setprofile(None)
    del reserved


if __name__ == "__main__":
    track(*sys.argv[1:])

"""Runs main() of a program under a tracker: `track_program.py TRACKER CAPTURE PROGRAM [FLAG]...`.

TRACKER is the module with the Tracker, memray or heapray; the flags are Tracker's boolean arguments.
"""

import gc
import importlib
import importlib.util
import sys
from typing import Callable


def main_of(file: str) -> Callable[[], None]:
    spec = importlib.util.spec_from_file_location("program", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["program"] = module
    spec.loader.exec_module(module)
    return module.main  # type: ignore[no-any-return]


def track(tracker: str, capture: str, program: str, *flags: str) -> None:
    module = importlib.import_module(tracker)
    main = main_of(program)
    # Twice untracked: what is made once only (imports, caches, code that is specialized) is no part of the comparison.
    main()
    main()
    gc.collect()
    gc.disable()
    options = {flag: True for flag in flags}
    with module.Tracker(capture, **options):
        main()


if __name__ == "__main__":
    track(*sys.argv[1:])

"""Begins to track, before the program: `heapray run` puts this file's folder first in PYTHONPATH.

Python imports the module of this name as it starts, so that the program itself runs as without heapray: there is no
frame of heapray's below its own, and everything about its start is Python's own doing.
"""


def _begin() -> None:
    import os
    import sys

    settings = os.environ.pop("HEAPRAY_RUN", None)
    folder = os.path.dirname(os.path.abspath(__file__))
    # What the program sees, and hands on to what it starts, is as without heapray.
    others = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry != folder]
    if others:
        os.environ["PYTHONPATH"] = os.pathsep.join(others)
    else:
        os.environ.pop("PYTHONPATH", None)
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path_importer_cache.pop(folder, None)
    sys.modules.pop("sitecustomize", None)
    try:
        # The one that would have been found; where there is none, site expects to be told so.
        import sitecustomize  # noqa: F401
    finally:
        if settings is not None:
            try:
                from heapray import _run

                _run.begin(settings)
            except BaseException as error:
                os.write(2, f"heapray: the program runs untracked: {error}\n".encode("utf-8", "replace"))


_begin()
